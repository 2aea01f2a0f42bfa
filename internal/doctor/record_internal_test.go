package doctor

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/smtp"
)

func TestParseSPF(t *testing.T) {
	t.Parallel()
	for record, wrong := range map[string]string{
		"v=spf1": "", "V=SPF1 -all": "", "v=spf1  a mx ptr ~all": "", "v=spf1 a/24 a:x.example/24//64 mx:y.example ?all": "",
		"v=spf1 ip4:192.0.2.1 ip4:192.0.2.0/24 ip6:2001:db8::1 ip6:2001:db8::/32 -all": "",
		"v=spf1 redirect=x.example exp=%{d}.y.example":                                 "", "v=spf1 exists:%{i}.z.example moo=1 -all": "",
		"v=spf2 -all": "v=spf1", "spf": "v=spf1", "v=spf1 all:x": "nothing may follow", "v=spf1 include:": "names no domain",
		"v=spf1 include": "names no domain", "v=spf1 ip4:x": "192.0.2.0/24", "v=spf1 ip4:2001:db8::1": "192.0.2.0/24",
		"v=spf1 ip6:192.0.2.1": "2001:db8::/32", "v=spf1 ip4:192.0.2.1/33": "192.0.2.0/24", "v=spf1 -": "not known", "v=spf1 +redirect=x": "not known",
		"v=spf1 redirect=": "names no domain", "v=spf1 redirect=a.example redirect=b.example": "twice", "v=spf1 inlcude:x": "not known", "v=spf1 a\u4e2d": "ASCII",
	} {
		_, err := parseSPF(record)
		if zh := say("%v", "%v", err).ZH; err != nil && zh == err.Error() {
			t.Errorf("%q: %q is not translated into Chinese", record, zh)
		}
		if (err == nil) != (wrong == "") || err != nil && !strings.Contains(err.Error(), wrong) {
			t.Errorf("%q: %v, want %q", record, err, wrong)
		}
	}
}

func TestLookupsOfARecord(t *testing.T) {
	t.Parallel()
	for record, want := range map[string]int{
		"v=spf1 -all": 0, "v=spf1 a mx ptr exists:%{i}.x include:%{d}.x ip4:192.0.2.1 -all": 5,
		"v=spf1 a -all mx": 1, "v=spf1 redirect=%{d}.x": 1, "v=spf1 -all redirect=x.example": 0, "v=spf1 a:x.example/24 exp=%{d}": 1,
	} {
		terms, err := parseSPF(record)
		if err != nil {
			t.Fatal(err)
		}
		w := &walk{}
		if err := w.evaluateTerms(t.Context(), terms, nil); err != nil || w.lookups != want {
			t.Errorf("%q: %d lookups, want %d (%v)", record, w.lookups, want, err)
		}
	}
	for network, want := range map[string]string{"192.0.2.0/24": "192.0.2.1", "192.0.2.7": "192.0.2.7", "192.0.2.6/31": "192.0.2.6", "2001:db8::/32": "2001:db8::1"} {
		if got := addressIn(network).String(); got != want {
			t.Errorf("inside %s: %s, want %s", network, got, want)
		}
	}
}

// Key records compared with two verifiers. A key that both refuse is refused
// here; if they disagree, it is refused or odd; a key that both accept is
// valid.
func TestKeyRecordsAgainstVerifiers(t *testing.T) {
	t.Parallel()
	keys, tried := map[string]string{}, 0
	for _, row := range tsv(t, "testdata/dkim.tsv") {
		if len(row) == 2 {
			keys[row[0]] = row[1]
			continue
		}
		tried++
		record := strings.NewReplacer("p=K", "p="+keys["K"], "p = K", "p = "+keys["K"], "p=B", "p="+keys["B"]).Replace(row[0])
		key, problem := parseKey(record)
		good, odd := problem == (Text{}) && !key.revoked, key.odd != (Text{})
		switch both := row[1] + " " + row[2]; {
		case both == "refused refused" && good,
			both == "good good" && (!good || odd),
			row[1] != row[2] && good && !odd:
			t.Errorf("%q: the verifiers say %s; here good %v, odd %q, problem %q", row[0], both, good, key.odd.EN, problem.EN)
		}
		if (problem.EN == "") != (problem.ZH == "") || (key.odd.EN == "") != (key.odd.ZH == "") {
			t.Errorf("%q: not in both languages: %+v %+v", row[0], problem, key.odd)
		}
	}
	if tried < 25 {
		t.Errorf("only %d records", tried)
	}
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	const ed = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
	for record, wrong := range map[string]string{
		"k=ed25519; p=" + ed: "", "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7T yWQHOg7hcvPapiMlrwIaaPcHURo=;": "", "p=": "", "v=DKIM1; s=email:x; k=ed25519; p=" + ed: "",
		"v=DKIM2; p=" + ed: "version", "k=ed25519; p=AAAA": "32 octets", "p=" + ed: "invalid key", "k=dsa; p=" + ed: "unknown key type", "v=DKIM1": "no key",
		"p=%": "base64", "x": "tag=value", "p=; p=": "twice", "s=tlsa; p=" + ed: "not for e-mail", "=1": "tag=value", "k=Ed25519; p=" + ed: "lower case",
		"h=sha1; k=ed25519; p=" + ed: "sha256", "h=sha1 : sha256; k=ed25519; p=" + ed: "",
	} {
		_, problem := parseKey(record)
		if (problem.EN == "") != (wrong == "") || !strings.Contains(problem.EN, wrong) {
			t.Errorf("%q: %v, want %q", record, problem, wrong)
		}
	}
}

// DMARC records compared with two receivers. A policy that both enforce is
// found here; a record that both ignore has a problem; if they disagree, the
// record is odd, and the result is that of one of them.
func TestDMARCRecordsAgainstReceivers(t *testing.T) {
	t.Parallel()
	tried := 0
	for _, row := range tsv(t, "testdata/dmarc.tsv") {
		tried++
		r, problem := parseDMARC(row[0])
		policy, odd := r.policy, len(r.odd) > 0
		if problem != (Text{}) {
			policy = "ignored"
		}
		opendmarc, share, _ := strings.Cut(row[1], " ")
		other := row[2]
		switch {
		case policy != opendmarc && policy != other && !(opendmarc == "ignored" && policy == "none"), // RFC 7489: a broken p with rua is none
			opendmarc == other && policy != other && policy != "none",
			opendmarc != other && !odd, share == "pct=0" && !odd:
			t.Errorf("%q: %s %s and %s from the receivers; here %s, odd %q, problem %q", row[0], opendmarc, share, other, policy, r.odd, problem.EN)
		}
		if policy == "ignored" && problem.ZH == "" {
			t.Errorf("%q: no Chinese", row[0])
		}
		if !looksLikeDMARC(row[0]) && policy != "ignored" {
			t.Errorf("%q would not be found", row[0])
		}
	}
	if tried < 40 {
		t.Errorf("only %d records", tried)
	}
	for record, odd := range map[string]string{
		"v=DMARC1; p=reject; adkim=s; aspf=r; sp=none; rua=mailto:a@example.org; ruf=mailto:a@example.org; fo=1:d; ri=3600; rf=afrf; pct=100; x=y;": "[]",
		"V=DMARC1; p=Reject": "[V=DMARC1]", "v=DMARC1; p=reject; adkim=strict; pct=abc; foo": "[adkim=strict pct=abc foo]", "v=DMARC1; rua=mailto:a@b.example": "[p=]",
	} {
		if r, _ := parseDMARC(record); fmt.Sprint(r.odd) != odd {
			t.Errorf("%q: odd %q, want %s", record, r.odd, odd)
		}
	}
}

// tsv reads a table of testdata without its comments.
func tsv(t *testing.T, file string) [][]string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSuffix(line, "\n"); !strings.HasPrefix(line, "#") {
			row := strings.Split(line, "\t")
			row[0] = strings.ReplaceAll(row[0], `\t`, "\t")
			rows = append(rows, row)
		}
	}
	return rows
}

func TestClock(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for greeting, want := range map[string]StepStatus{
		"AS4P190CA0001.outlook.office365.com Microsoft ESMTP MAIL Service ready at Sun, 1 Mar 2026 11:59:30 +0000": OK,
		"mx ESMTP Sendmail 8.18.1/8.18.1; Sun, 1 Mar 2026 20:00:01 +0800":                                          OK,
		"mx ESMTP Sendmail 8.18.1/8.18.1; Sun, 1 Mar 2026 12:06:00 GMT":                                            Warning,
		"mx ESMTP Sendmail 8.18.1/8.18.1; Sun, 1 Mar 2026 11:50:00 UTC":                                            Warning,
		"mx ready; Sun, 1 Mar 2026 12:00:00 CST":                                                                   Info, // one of three zones with that name
		"163.com Anti-spam GT for Coremail System (163com[20141201])":                                              Info,
		"smtp.gmail.com ESMTP 5b1f17b1804b1-4abc - gsmtp":                                                          Info,
		"mx; Sun, 31 Feb 2026 12:00:00 +0000":                                                                      Info,
	} {
		s := clockStep(smtp.Reply{Code: 220, Lines: []string{greeting}}, now)
		if s.Status != want || (s.Facts.SkewSeconds == nil) != (want == Info) {
			t.Errorf("%q: %s: %s", greeting, s.Status, s.Detail.EN)
		}
	}
}

func FuzzParseSPF(f *testing.F) {
	for _, s := range []string{"v=spf1 -all", "v=spf1 include:x.example a:b/24 ip6:::1/0 redirect=y exp=%{d}", "v=spf1 =", "v=spf1 a=", "v=spf1 0." + strings.Repeat("\xa1\xa1", 200)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, record string) {
		terms, err := parseSPF(record)
		if err != nil {
			if len(err.Error()) > 1000 || strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("the error holds raw input: %q", err)
			}
			return
		}
		for _, term := range reachableTerms(terms) {
			if term.name == "" || strings.ToLower(term.name) != term.name {
				t.Errorf("%q: found a term without a name", record)
			}
			if term.name == "ip4" && !term.modifier && !addressIn(term.value).Is4() {
				t.Errorf("%q: %q contains no address", record, term.value)
			}
		}
	})
}

func FuzzParseKey(f *testing.F) {
	for _, s := range []string{"v=DKIM1; k=rsa; p=", "k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", ";;=", "t=y:s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, record string) {
		key, problem := parseKey(record)
		if problem == (Text{}) && !key.revoked && key.bits == 0 {
			t.Errorf("%q: accepted a key without bits", record)
		}
		if strings.ContainsAny(problem.EN+problem.ZH+key.odd.EN, "\n\x1b") {
			t.Errorf("the problem holds raw input: %q", problem)
		}
	})
}

func FuzzParseDMARC(f *testing.F) {
	for _, s := range []string{"v=DMARC1; p=reject; adkim=s; pct=50", "v=DMARC1; rua=mailto:a@example.org", "V = dmarc1;;=;p=", "v=DMARC1; fo=1:d; ri=x; sp="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, record string) {
		r, problem := parseDMARC(record)
		if (problem == (Text{})) != (r.policy == "none" || r.policy == "quarantine" || r.policy == "reject") {
			t.Errorf("%q: policy %q, problem %q", record, r.policy, problem.EN)
		}
	})
}

func FuzzDateIn(f *testing.F) {
	f.Add("mx ESMTP Sendmail; Sun, 1 Mar 2026 12:06:00 GMT")
	f.Add("1 Jan 0000 00:00:00 +9999")
	f.Fuzz(func(t *testing.T, greeting string) {
		at, ok := dateIn(greeting)
		if !ok && !at.IsZero() {
			t.Errorf("%q: got %s without ok", greeting, at)
		}
		clockStep(smtp.Reply{Code: 220, Lines: []string{greeting}}, time.Unix(0, 0))
	})
}
