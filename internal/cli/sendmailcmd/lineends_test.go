package sendmailcmd

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestCRLFReader(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 10_000)
	for in, want := range map[string]string{
		"":                            "",
		"EHLO x\r\nDATA\r\na\n.\nb":   "EHLO x\r\nDATA\r\na\n.\nb",
		"HELO x\nDATA\nb\n.\nQUIT\n":  "HELO x\r\nDATA\r\nb\r\n.\r\nQUIT\r\n",
		"HELO x\nDATA\r\n\r\nx\r\n":   "HELO x\r\nDATA\r\n\r\nx\r\n",
		"HELO x":                      "HELO x",
		"\n\n":                        "\r\n\r\n",
		"HELO\n" + long + "\n" + long: "HELO\r\n" + long + "\r\n" + long,
		long + "\nx\n":                long + "\nx\n", // no command is so long
	} {
		for name, reader := range map[string]io.Reader{"whole": strings.NewReader(in), "one octet": iotest.OneByteReader(strings.NewReader(in)), "data and error": iotest.DataErrReader(strings.NewReader(in))} {
			got, err := io.ReadAll(iotest.OneByteReader(newCRLFReader(reader)))
			if err != nil || string(got) != want {
				t.Errorf("%s of %.40q: %.40q, %v; want %.40q", name, in, got, err, want)
			}
		}
	}
}
