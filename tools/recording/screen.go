package main

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// style is the look of a cell. Colours are the first sixteen; -1 is the
// terminal's default.
type style struct {
	fg, bg                int
	bold, faint, reversed bool
}

// cell is one column; the second of a wide character has no text.
type cell struct {
	text  string
	style style
}

// screen is the part of a terminal that yan uses: cursor movements, erasing,
// colours, wide characters, scrolling.
type screen struct {
	cols, rows int
	cells      [][]cell
	x, y       int
	now        style
	hidden     bool // the cursor
	last       string
	rest       []byte // of an incomplete sequence or character
}

func newScreen(cols, rows int) *screen {
	s := &screen{cols: cols, rows: rows, now: style{fg: -1, bg: -1}}
	for range rows {
		s.cells = append(s.cells, s.blank())
	}
	return s
}

func (s *screen) blank() []cell {
	line := make([]cell, s.cols)
	for i := range line {
		line[i] = cell{" ", style{fg: -1, bg: -1}}
	}
	return line
}

// write applies the output of a program.
func (s *screen) write(p []byte) {
	s.rest = append(s.rest, p...)
	for len(s.rest) > 0 {
		n := s.step(s.rest)
		if n == 0 {
			return
		}
		s.rest = s.rest[n:]
	}
}

// step applies one character or sequence and returns its length, or 0 if it is
// incomplete.
func (s *screen) step(p []byte) int {
	switch p[0] {
	case 0x1b:
		return s.escape(p)
	case '\r':
		s.x = 0
	case '\n':
		s.down()
	case '\b':
		s.x = max(0, s.x-1)
	case '\t':
		s.x = min(s.cols-1, s.x/8*8+8)
	default:
		if p[0] < ' ' {
			return 1
		}
		if !utf8.FullRune(p) {
			return 0
		}
		r, n := utf8.DecodeRune(p)
		s.put(r)
		return n
	}
	return 1
}

func (s *screen) down() {
	if s.y++; s.y == s.rows {
		s.y--
		s.cells = append(s.cells[1:], s.blank())
	}
}

func cellsOf(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Cf) {
		return 0
	}
	if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
		return 2
	}
	return 1
}

func (s *screen) put(r rune) {
	n := cellsOf(r)
	if n == 0 {
		return
	}
	if s.x+n > s.cols {
		s.x = 0
		s.down()
	}
	s.last = string(r)
	s.cells[s.y][s.x] = cell{s.last, s.now}
	if n == 2 {
		s.cells[s.y][s.x+1] = cell{"", s.now}
	}
	s.x += n
}

// escape applies ESC [ … and skips other sequences.
func (s *screen) escape(p []byte) int {
	if len(p) < 2 {
		return 0
	}
	switch p[1] {
	case ']': // up to BEL or ST
		for i := 2; i < len(p); i++ {
			if p[i] == 7 {
				return i + 1
			}
			if p[i] == '\\' && p[i-1] == 0x1b {
				return i + 1
			}
		}
		return 0
	case '(', ')':
		if len(p) < 3 {
			return 0
		}
		return 3
	case 'M':
		s.y = max(0, s.y-1)
		return 2
	case '[':
	default:
		return 2
	}
	for i := 2; i < len(p); i++ {
		if p[i] >= 0x40 && p[i] <= 0x7e {
			s.control(p[i], string(p[2:i]))
			return i + 1
		}
	}
	return 0
}

func (s *screen) control(final byte, parameters string) {
	if strings.HasPrefix(parameters, "?") {
		if parameters == "?25" {
			s.hidden = final == 'l'
		}
		return
	}
	if strings.ContainsAny(parameters, "<=>") { // for the keyboard: ESC [ > 4 ; 2 m is no color
		return
	}
	var list []int
	for _, word := range strings.Split(parameters, ";") {
		n, _ := strconv.Atoi(word) // "" is 0
		list = append(list, n)
	}
	n := max(1, list[0])
	switch final {
	case 'A':
		s.y = max(0, s.y-n)
	case 'B', 'e':
		s.y = min(s.rows-1, s.y+n)
	case 'C', 'a':
		s.x = min(s.cols-1, s.x+n)
	case 'D':
		s.x = max(0, s.x-n)
	case 'E':
		s.x, s.y = 0, min(s.rows-1, s.y+n)
	case 'F':
		s.x, s.y = 0, max(0, s.y-n)
	case 'G', '`':
		s.x = min(s.cols, n) - 1
	case 'd':
		s.y = min(s.rows, n) - 1
	case 'H', 'f':
		s.y, s.x = min(s.rows, n)-1, 0
		if len(list) > 1 {
			s.x = min(s.cols, max(1, list[1])) - 1
		}
	case 'J':
		s.eraseDisplay(list[0])
	case 'K':
		s.eraseLine(list[0])
	case 'X':
		s.erase(s.y, s.x, min(s.cols, s.x+n))
	case 'P':
		line := s.cells[s.y]
		copy(line[s.x:], line[min(s.cols, s.x+n):])
		s.erase(s.y, s.cols-min(n, s.cols-s.x), s.cols)
	case 'b':
		for range n {
			s.put([]rune(s.last)[0])
		}
	case 'm':
		s.color(list)
	}
}

func (s *screen) erase(y, from, to int) {
	for x := from; x < to; x++ {
		s.cells[y][x] = cell{" ", style{fg: -1, bg: s.now.bg}}
	}
}

func (s *screen) eraseLine(how int) {
	from, to := s.x, s.cols
	if how == 1 {
		from, to = 0, s.x+1
	} else if how == 2 {
		from = 0
	}
	s.erase(s.y, from, to)
}

func (s *screen) eraseDisplay(how int) {
	s.eraseLine(how)
	from, to := s.y+1, s.rows
	if how == 1 {
		from, to = 0, s.y
	} else if how >= 2 {
		from = 0
	}
	for y := from; y < to; y++ {
		s.erase(y, 0, s.cols)
	}
}

func (s *screen) color(list []int) {
	for i := 0; i < len(list); i++ {
		switch n := list[i]; {
		case n == 0:
			s.now = style{fg: -1, bg: -1}
		case n == 1:
			s.now.bold = true
		case n == 2:
			s.now.faint = true
		case n == 7:
			s.now.reversed = true
		case n == 22:
			s.now.bold, s.now.faint = false, false
		case n == 27:
			s.now.reversed = false
		case n >= 30 && n <= 37:
			s.now.fg = n - 30
		case n == 39:
			s.now.fg = -1
		case n >= 40 && n <= 47:
			s.now.bg = n - 40
		case n == 49:
			s.now.bg = -1
		case n >= 90 && n <= 97:
			s.now.fg = n - 82
		case n >= 100 && n <= 107:
			s.now.bg = n - 92
		case (n == 38 || n == 48) && i+2 < len(list) && list[i+1] == 5:
			if n == 38 {
				s.now.fg = list[i+2] % 16
			} else {
				s.now.bg = list[i+2] % 16
			}
			i += 2
		}
	}
}

// text returns the screen without colours.
func (s *screen) text() string {
	var b strings.Builder
	for _, line := range s.cells {
		for _, c := range line {
			b.WriteString(c.text)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
