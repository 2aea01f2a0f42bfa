package diagnosis_test

import (
	"strings"
	"testing"

	"github.com/yanmail/yan/diagnosis"
)

func TestAdviceByPlace(t *testing.T) {
	t.Parallel()
	tried := 0
	for _, class := range diagnosis.Classes() {
		for host, local := range map[string]bool{"127.0.0.1": true, "::1": true, "localhost": true, "192.0.2.1": false, "mail.example.org": false} {
			info, _ := diagnosis.Describe(class)
			was := diagnosis.Finding{Class: class, Advice: info.Advice}
			got := was.At(host, 1025).Advice
			want := ""
			switch {
			case local && (class == diagnosis.ClassStartTLSMissing || class == diagnosis.ClassWrongTLSMode):
				want = "smtp+notls://"
			case class == diagnosis.ClassTLSName && host != "localhost" && host != "mail.example.org":
				want = "--tls-name"
			}
			if want == "" && got != was.Advice || want != "" && (got == was.Advice || !strings.Contains(got.EN, want) || !strings.Contains(got.ZH, want)) {
				t.Errorf("%s at %s: %v", class, host, got)
			}
			if strings.Contains(got.EN, "notls") && !strings.Contains(got.ZH, "smtp+notls://"+map[string]string{"::1": "[::1]"}[host]) {
				t.Errorf("%s at %s: %v", class, host, got)
			}
			tried++
		}
	}
	if tried < 100 {
		t.Errorf("only %d", tried)
	}
}
