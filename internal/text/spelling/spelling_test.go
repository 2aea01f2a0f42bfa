package spelling

import "testing"

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"qq", "qq", 0}, {"", "qq", 2}, {"qqq", "qq", 1}, {"gmial", "gmail", 1},
		{"gmal", "gmail", 1}, {"gnail", "gmail", 1}, {"腾迅", "腾讯", 1}, {"abc", "xyz", 3},
	} {
		for _, pair := range [][2]string{{tt.a, tt.b}, {tt.b, tt.a}} {
			if got := Distance([]rune(pair[0]), []rune(pair[1])); got != tt.want {
				t.Errorf("from %q to %q: %d, want %d", pair[0], pair[1], got, tt.want)
			}
		}
	}
}
