// Command yan sends e-mail through a mailbox provider's SMTP server and tells
// what became of it. Try "yan demo".
package main

import (
	"context"
	"os"
	"os/signal"

	"github.com/yanmail/yan/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := cli.Run(ctx, os.Args[1:], cli.ThisWorld())
	stop()
	os.Exit(code)
}
