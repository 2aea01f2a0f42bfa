package diagnosis_test

import (
	"strings"
	"testing"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
)

// Words that mean the own account at the login and another account after it.
func TestTwoMeanings(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", "netease163", "netease126"} {
		for _, words := range []string{"User suspended", "User is suspended"} {
			for stage, want := range map[smtp.Stage]diagnosis.Class{smtp.StageAuth: diagnosis.ClassAccountBlocked,
				smtp.StageRcpt: diagnosis.ClassRecipientInvalid, smtp.StageBody: diagnosis.ClassRecipientInvalid} {
				f := diagnosis.Diagnose(diagnosis.Fact{Stage: stage, Provider: id, Reply: reply(550, "", words)})
				if f.Class != want {
					t.Errorf("%s at %s of %q: %s of row %s", words, stage, id, f.Class, f.Row)
				}
			}
			f := diagnosis.Diagnose(diagnosis.Fact{Provider: id, Reply: reply(550, "", words)})
			if f.Class != diagnosis.ClassUnclassified || f.Permanence != diagnosis.Permanent || f.Basis == diagnosis.BasisNothing {
				t.Errorf("%s of %q: %s %s by %s", words, id, f.Class, f.Permanence, f.Basis)
			}
			for _, part := range []string{"登录时：您的账号已被冻结", "登录之后：收件人的账号"} {
				if !strings.Contains(f.Hint.ZH, part) {
					t.Errorf("%s of %q: %q does not hold %q", words, id, f.Hint.ZH, part)
				}
			}
			if !strings.Contains(f.Hint.EN, "During login: Your account") || !strings.Contains(f.Hint.EN, "After login: The recipient's account") {
				t.Errorf("%s of %q: %q", words, id, f.Hint.EN)
			}
		}
	}
}

// A refused login says which secret this provider requires, in one line.
func TestAdviceNamesTheSecret(t *testing.T) {
	t.Parallel()
	refused := func(id string) diagnosis.Finding {
		return diagnosis.Diagnose(diagnosis.Fact{Stage: smtp.StageAuth, Provider: id, Reply: reply(535, "", "no, nein")})
	}
	for id, want := range map[string]string{
		"qq": "QQ 邮箱要填授权码，不是登录密码", "exmail": "客户端专用密码", "gmail": "应用专用密码", "ses": "专为 SMTP 生成的用户名和密码", "": "多数服务商",
	} {
		if f := refused(id); f.Class != diagnosis.ClassAuthBadCredentials || !strings.Contains(f.Advice.ZH, want) {
			t.Errorf("%q: %s %q", id, f.Class, f.Advice.ZH)
		}
	}
	named := 0
	for _, p := range provider.All() {
		f := refused(p.ID)
		if columns(f.Advice.EN) > 125 || columns(f.Advice.ZH) > 105 {
			t.Errorf("%s: too long: %q, %q", p.ID, f.Advice.EN, f.Advice.ZH)
		}
		if strings.Contains(f.Advice.ZH, p.Names.ZH) && strings.Contains(f.Advice.EN, p.Names.EN) {
			named++
		} else if p.Auth.Kind != provider.UnknownSecret {
			t.Errorf("%s: %q", p.ID, f.Advice.ZH)
		}
	}
	if named < 40 {
		t.Errorf("only %d providers are named", named)
	}
}

// Without a stage the text does not mention "this stage".
func TestGuessedByCodeAlone(t *testing.T) {
	t.Parallel()
	for stage, want := range map[smtp.Stage]string{"": "不知道出现在哪一步", smtp.StageRcpt: "这一步通常"} {
		f := diagnosis.Diagnose(diagnosis.Fact{Stage: stage, Reply: reply(503, "", "xyz")})
		if f.Basis != diagnosis.BasisCode || !strings.Contains(f.Hint.ZH, want) {
			t.Errorf("%q: %s, %q", stage, f.Basis, f.Hint.ZH)
		}
	}
}

// Failures of other programs are not blamed on Yan, and Proton Bridge is named only if it is
// meant.
func TestNeutralWords(t *testing.T) {
	t.Parallel()
	for _, c := range diagnosis.Classes() {
		info, _ := diagnosis.Describe(c)
		if c == diagnosis.ClassUnclassified { // failures unknown to this program
			continue
		}
		for _, s := range []string{info.Cause.EN, info.Advice.EN, info.Cause.ZH, info.Advice.ZH} {
			if strings.Contains(strings.ToLower(s), "this program") || strings.Contains(s, "本程序") {
				t.Errorf("%s: %s", c, s)
			}
		}
	}
	for id, want := range map[string]bool{"proton_bridge": true, "": false, "qq": false} {
		f := diagnosis.Diagnose(diagnosis.Fact{Stage: smtp.StageTLS, Provider: id, Err: namedKind("untrusted"), Status: smtp.NotTried})
		if f.Class != diagnosis.ClassTLSUntrusted || strings.Contains(f.Hint.EN, "Proton") != want {
			t.Errorf("%q: %s %q", id, f.Class, f.Hint.EN)
		}
	}
}
