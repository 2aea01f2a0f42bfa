package doctor

import (
	"errors"
	"testing"

	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/internal/localerr"
)

// An error inside a Chinese detail is in Chinese, if possible: an error of this
// package, and one that a lower package made with package localerr.
func TestSayErrors(t *testing.T) {
	t.Parallel()
	lower := localerr.Errorf("unknown key")
	for _, c := range []struct {
		err    error
		en, zh string
	}{
		{textErrorf("odd %d", "奇怪 %d", 3), "x: odd 3", "甲：奇怪 3"},
		{&recordError{"a.example", errTwoRecords}, "x: a.example: there are several SPF records", "甲：a.example：有多条 SPF 记录"},
		{errors.New("plain"), "x: plain", "甲：plain"},
		{lower, "x: " + lower.Error(), "甲：" + i18n.Translations(i18n.Chinese)["unknown key"]},
	} {
		if got := say("x: %v", "甲：%v", c.err); got.EN != c.en || got.ZH != c.zh {
			t.Errorf("%v: %+v, want %q and %q", c.err, got, c.en, c.zh)
		}
	}
}
