// The recording of yan login for the README, in a module of its own so that what
// it needs never enters the project's go.mod. From the top of the project:
//
//	make recording
module github.com/yanmail/yan/tools/recording

go 1.26.0

require (
	github.com/creack/pty v1.1.24 // indirect
	golang.org/x/text v0.43.0 // indirect
)
