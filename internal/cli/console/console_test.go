package console

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/yanmail/yan/internal/i18n"
)

func TestSize(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 999_949: "999.9 kB", 999_950: "1.0 MB",
		52_428_800: "52.4 MB", 999_950_000: "1.00 GB", 3_210_000_000: "3.21 GB"} {
		if got := Size(n); got != want {
			t.Errorf("size(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{0: "0 µs", 999 * time.Microsecond: "999 µs", 1500 * time.Microsecond: "1.5 ms",
		42 * time.Millisecond: "42 ms", 2500 * time.Millisecond: "2.5 s"} {
		if got := Duration(d); got != want {
			t.Errorf("duration(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestRoughly(t *testing.T) {
	t.Parallel()
	en, _, _ := testApp(i18n.English)
	zh, _, _ := testApp(i18n.Chinese)
	for d, want := range map[time.Duration][2]string{
		0:                               {"1 second", "1 秒"},
		1500 * time.Millisecond:         {"2 seconds", "2 秒"},
		time.Minute:                     {"1 minute", "1 分钟"},
		90 * time.Second:                {"1 min 30 s", "1 分 30 秒"},
		2 * time.Minute:                 {"2 minutes", "2 分钟"},
		10*time.Minute + time.Second:    {"11 minutes", "11 分钟"},
		time.Hour:                       {"1 hour", "1 小时"},
		90 * time.Minute:                {"1 h 30 min", "1 小时 30 分"},
		24 * time.Hour:                  {"24 hours", "24 小时"},
		6*time.Hour + 20*time.Minute:    {"7 hours", "7 小时"},
		72 * time.Hour:                  {"3 days", "3 天"},
		59*time.Minute + 59*time.Second: {"1 hour", "1 小时"},
	} {
		if got := [2]string{en.Roughly(d), zh.Roughly(d)}; got != want {
			t.Errorf("roughly(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestColumns(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]int{"": 0, "abc": 3, "邮箱": 4, "a邮": 3, "（）": 4, "é": 1, "e\u0301": 1, "→": 1, "µs": 2} {
		if got := Columns(s); got != want {
			t.Errorf("columns(%q) = %d, want %d", s, got, want)
		}
	}
}

// Tables and the forms of internal/prompt, which lipgloss draws, agree about every
// width.
func TestTablesAndFormsMeasureAlike(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]int{
		"邮箱": 4, "ＱＱ": 4, "，。": 4, "ﾒｰﾙ": 3, "한글": 4,
		"e\u0301": 1, "か\u3099": 2, "a\u200bb": 2, "\ufeffa": 1,
		"📧": 2, "❤\ufe0f": 2, "👨‍👩‍👧": 2, "👍🏽": 2, "🇨🇳": 2,
		"\x1b[1m邮箱\x1b[0m": 4, "“—…·": 4,
	} {
		cell := Pad(s, 6)
		if table, form := Columns(s), lipgloss.Width(s); table != want || form != want || lipgloss.Width(cell) != 6 {
			t.Errorf("%q: %d cells in a table, %d in a form, want %d; a padded cell has %d of 6",
				s, table, form, want, lipgloss.Width(cell))
		}
	}
}

func TestWrapKeepsClustersWhole(t *testing.T) {
	t.Parallel()
	family := "👨‍👩‍👧"
	got := Wrap("邮箱"+family+"邮箱", 5)
	if want := []string{"邮箱", family + "邮", "箱"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := Truncate("邮箱地址", 5), "邮箱…"; got != want {
		t.Errorf("truncated to %q, want %q", got, want)
	}
	if got := Truncate("邮箱", 4); got != "邮箱" {
		t.Errorf("a text that fits became %q", got)
	}
}

func TestTableAlignsChinese(t *testing.T) {
	t.Parallel()
	a, out, _ := testApp(i18n.Chinese)
	a.Table([][]string{{"编号", "名称", "x"}, {"qq", "QQ邮箱", "y"}, {"netease163", "网", ""}})
	want := "编号        名称    x\nqq          QQ邮箱  y\nnetease163  网\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text  string
		width int
		want  []string
	}{
		{"", 10, []string{""}},
		{"one two three", 8, []string{"one two", "three"}},
		{"exactly ten", 11, []string{"exactly ten"}},
		{"averyverylongword x", 5, []string{"averyverylongword", "x"}},
		{"邮箱服务商", 6, []string{"邮箱服", "务商"}},
		{"邮箱服，务商", 6, []string{"邮箱", "服，务", "商"}}, // no line begins with a comma
		{"邮（箱）服务", 4, []string{"邮", "（箱）", "服务"}}, // nor ends with an opening bracket
		{"用 --to 地址", 7, []string{"用 --to", "地址"}},
		{"在server上", 4, []string{"在", "server", "上"}},
	} {
		if got := Wrap(test.text, test.width); !slices.Equal(got, test.want) {
			t.Errorf("wrap(%q, %d) = %q, want %q", test.text, test.width, got, test.want)
		}
	}
}

func TestVisibleWriter(t *testing.T) {
	t.Parallel()
	const text = "a\r\nb\rc\x1b[1m\t你\xe4\xbd\x00\u202e\r"
	const want = "a\nb\ufffdc\ufffd[1m\t你\ufffd\ufffd\ufffd\ufffd\ufffd"
	for size := 1; size <= len(text); size++ { // for pieces of any size
		var b bytes.Buffer
		v := &visibleWriter{w: &b}
		for rest := []byte(text); len(rest) > 0; {
			n, err := v.Write(rest[:min(size, len(rest))])
			if err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		v.flush()
		if got := b.String(); got != want {
			t.Errorf("in pieces of %d: %q, want %q", size, got, want)
		}
	}
}

func TestHang(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		line  string
		width int
		want  string
	}{
		{"✗ a  refused: no such user here", 0, "✗ a  refused: no such user here"},
		{"✗ a  refused: no such user here", 20, "✗ a  refused: no\n    such user here"},
		{"\x1b[31m✗\x1b[0m a  refused", 12, "\x1b[31m✗\x1b[0m a  refused"},
		{"没有这个用户，请检查", 12, "没有这个用\n    户，请检\n    查"},
		{"averyverylongword", 5, "averyverylongword"},
	} {
		if got := WrapIndented(c.line, "    ", c.width); got != c.want {
			t.Errorf("%q at %d: %q, want %q", c.line, c.width, got, c.want)
		}
	}
}
