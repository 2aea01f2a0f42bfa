package diagnosis_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/smtp"
)

// flagOrCommand matches text for users of the command line only.
var flagOrCommand = regexp.MustCompile(`(^|[^-\w])--[a-z]|\byan [a-z]|\btls_|\blocal_name`)

// Whatever the data tells users of the command, the advice for programs names no flag.
func TestAdviceForProgramsNamesNoFlags(t *testing.T) {
	t.Parallel()
	texts, named := 0, 0
	check := func(where string, list ...diagnosis.Text) {
		for _, text := range list {
			now := diagnosis.Finding{Advice: text}.ForPrograms().Advice
			for lang, both := range map[string][2]string{"en": {text.EN, now.EN}, "zh": {text.ZH, now.ZH}} {
				if both[0] == "" {
					continue
				}
				texts++
				if flagOrCommand.MatchString(both[0]) {
					named++
				}
				if flagOrCommand.MatchString(both[1]) {
					t.Errorf("%s, %s: %s", where, lang, both[1])
				}
			}
		}
	}
	for _, row := range diagnosis.Rows() {
		check(row.ID, row.Hint)
	}
	for _, class := range diagnosis.Classes() {
		info, ok := diagnosis.Describe(class)
		if !ok {
			t.Errorf("%s is not described", class)
		}
		check(string(class), info.Cause, info.Advice)
	}
	for _, kind := range diagnosis.ErrorKinds() {
		for _, stage := range smtp.Stages() {
			f := diagnosis.Diagnose(diagnosis.Fact{Stage: stage, Status: smtp.NotTried, Err: namedKind(kind)})
			check(kind, f.Cause, f.Advice, f.Hint, f.Where)
		}
	}
	if texts < 500 || named < 6 {
		t.Errorf("%d texts, of which %d name flags", texts, named)
	}
}

// A failure on this side does not send the user to the server's administrator.
func TestFailuresOfThisSide(t *testing.T) {
	t.Parallel()
	for _, err := range []error{errors.New("the transport is closed"), errors.New("the user name holds characters that SASLprep forbids"), errors.New("disk full")} {
		for _, stage := range append(smtp.Stages(), "") {
			if stage == smtp.StageReset || stage == smtp.StageQuit { // the message was accepted
				continue
			}
			f := diagnosis.Diagnose(diagnosis.Fact{Err: err, Stage: stage})
			if strings.Contains(f.Advice.EN+f.Advice.ZH, "administrator") || strings.Contains(f.Advice.ZH, "管理员") || f.Class == diagnosis.ClassUnclassified && !strings.Contains(f.Hint.EN, err.Error()) {
				t.Errorf("%v at %s: %s %s", err, stage, f.Hint.EN, f.Advice.EN)
			}
		}
	}
}
