package console

import (
	"bytes"
	"context"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/i18n"
)

// testApp returns a console without a terminal.
func testApp(lang i18n.Language) (*Console, *bytes.Buffer, *bytes.Buffer) {
	var out, errs bytes.Buffer
	return New(context.Background(), System{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
		Getenv: func(string) string { return "" }, Now: func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }},
		i18n.NewWords(lang)), &out, &errs
}
