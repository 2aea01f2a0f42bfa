package logincmd

import (
	"strings"

	"rsc.io/qr"
)

// showQR prints the QR code of the first page of the provider's help.
func (l *loginSetup) showQR() { l.drawQR(l.provider().CodeHelp.URLs[0]) }

func (l *loginSetup) drawQR(page string) {
	code, err := qr.Encode(page, qr.L)
	if err != nil {
		l.say(l.a.T("this address is too long for a QR code: %s", page))
		return
	}
	for _, line := range halfBlocks(code.Size, code.Black) {
		// Dark on light independent of the terminal's colours, even with NO_COLOR: some cameras
		// can't read it otherwise.
		if !l.a.NoColor && l.a.Getenv("TERM") != "dumb" && l.a.StderrWidth > 0 {
			line = "\x1b[30;107m" + line + "\x1b[0m"
		}
		l.say("  " + line)
	}
}

// halfBlocks draws two rows of modules per line, with a quiet zone that readers need (ISO/IEC 18004
// requires four modules; two are enough for phones).
func halfBlocks(size int, black func(x, y int) bool) []string {
	const quiet = 2
	dark := func(x, y int) bool { return x >= 0 && y >= 0 && x < size && y < size && black(x, y) }
	var lines []string
	for y := -quiet; y < size+quiet; y += 2 {
		var b strings.Builder
		for x := -quiet; x < size+quiet; x++ {
			switch top, bottom := dark(x, y), dark(x, y+1); {
			case top && bottom:
				b.WriteRune('█')
			case top:
				b.WriteRune('▀')
			case bottom:
				b.WriteRune('▄')
			default:
				b.WriteByte(' ')
			}
		}
		lines = append(lines, b.String())
	}
	return lines
}
