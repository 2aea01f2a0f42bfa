package console

import (
	"os"

	"golang.org/x/sys/windows"
)

// understandsColor enables escape sequences in the console, which older windows
// of cmd.exe do not do by themselves.
func understandsColor(f *os.File) bool {
	handle := windows.Handle(f.Fd())
	var mode uint32
	if windows.GetConsoleMode(handle, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(handle, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
