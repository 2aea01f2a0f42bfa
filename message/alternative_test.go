package message

import (
	"strings"
	"testing"
)

const meeting = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1@b.c\r\nDTSTART:20261201T090000Z\r\n" +
	"SUMMARY;LANGUAGE=\"zh:CN\":周会\\, 第\r\n  二 次\r\nLOCATION:三楼\\n会议室\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

func TestInvitation(t *testing.T) {
	t.Parallel()
	a, err := Invitation(meeting)
	if err != nil {
		t.Fatal(err)
	}
	m := &Message{From: "a@b.c", To: []string{"x@y.z"}, Text: "t", HTML: "h", Alternatives: []Alternative{a, {"text/x-amp-html", "<html ⚡4email>"}},
		Attachments: []Attachment{InvitationFile("会议.ics", meeting)}}
	p := parse(t, write(t, compose(t, m)))
	var got []string
	for _, l := range p.leaves {
		got = append(got, l.path)
	}
	want := "multipart/mixed>multipart/alternative>text/plain multipart/mixed>multipart/alternative>text/x-amp-html " +
		"multipart/mixed>multipart/alternative>text/html multipart/mixed>multipart/alternative>text/calendar multipart/mixed>application/ics"
	if strings.Join(got, " ") != want {
		t.Errorf("%q", got)
	}
	if l := p.leaves[3]; l.params["method"] != "REQUEST" || l.params["charset"] != "utf-8" || string(l.body) != meeting {
		t.Errorf("%v of %q", l.params, l.body)
	}
	if l := p.leaves[4]; string(l.body) != meeting || l.fileName != "会议.ics" {
		t.Errorf("attached is %q as %q", l.body, l.fileName)
	}
	summary, text := InvitationText(meeting)
	if summary != "周会, 第 二 次" || text != "周会, 第 二 次\n\n三楼\n会议室\n" {
		t.Errorf("%q, %q", summary, text)
	}
}

func TestAlternativesRefused(t *testing.T) {
	t.Parallel()
	for calendar, want := range map[string]string{"": "is not a calendar", "hello": "is not a calendar", "\xff": "is not UTF-8",
		"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n": "has no METHOD", "BEGIN:VCALENDAR\nMETHOD:A B\n": "has no METHOD"} {
		if _, err := Invitation(calendar); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", calendar, err)
		}
	}
	for _, tt := range []struct{ kind, text, want string }{
		{"text/calendar; method=CANCEL", meeting, `alternatives[0] "text/calendar; method=CANCEL": method=CANCEL differs from METHOD:REQUEST in the calendar`},
		{"text/calendar; charset=gbk", meeting, "its charset must be utf-8"},
		{"application/ics", meeting, "is not a text type"},
		{"calendar", meeting, "is not a media type"},
		{"text/x", "\xff", "is not UTF-8"},
		{"text/x; a=" + strings.Repeat("x", 60), "", "too long"},
	} {
		_, err := Compose(&Message{From: "a@b.c", To: []string{"x@y.z"}, Alternatives: []Alternative{{tt.kind, tt.text}}})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.kind, err)
		}
	}
}

// Messages that differ in an alternative have different fingerprints; without alternatives the
// fingerprint is that of older versions, which another test checks.
func TestAlternativesAreInFingerprint(t *testing.T) {
	t.Parallel()
	seen := map[[32]byte]bool{}
	for _, list := range [][]Alternative{nil, {{"text/x", "a"}}, {{"text/x", "b"}}, {{"text/y", "a"}}, {{"text/x", "a"}, {"text/x", "a"}}} {
		f, err := compose(t, &Message{From: "a@b.c", To: []string{"x@y.z"}, Text: "t", Alternatives: list}).Fingerprint()
		if err != nil || seen[f] {
			t.Errorf("%v: %v", list, err)
		}
		seen[f] = true
	}
}

func FuzzCalendarProperty(f *testing.F) {
	f.Add(meeting, "SUMMARY")
	f.Add("A;\":\":b\n c", "A")
	f.Fuzz(func(t *testing.T, calendar, name string) {
		if got := calendarProperty(calendar, name); strings.ContainsAny(got, "\n") {
			t.Fatalf("%q", got)
		}
		if a, err := Invitation(calendar); err == nil {
			if _, err := Compose(&Message{From: "a@b.c", To: []string{"x@y.z"}, Alternatives: []Alternative{a}}); err != nil {
				t.Logf("%v", err) // an endless method is refused, too
			}
		}
	})
}
