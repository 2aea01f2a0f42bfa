// Command yan sends e-mail through a mailbox provider's SMTP server and tells
// what became of it. Try "yan demo".
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/yanmail/yan/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first Ctrl-C ends things well, the second ends them.
	context.AfterFunc(ctx, stop)
	// A reader who has had enough must not end a message half-way: what can't
	// be printed is an error of the write.
	signal.Ignore(syscall.SIGPIPE)
	code := cli.RunProgram(ctx, os.Args, cli.SystemEnv())
	stop()
	os.Exit(code)
}
