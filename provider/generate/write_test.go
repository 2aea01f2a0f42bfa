package main

import (
	"strings"
	"testing"

	"github.com/yanmail/yan/provider"
)

// The index has every key of a provider once, and none that would find it wrongly.
func TestIndex(t *testing.T) {
	t.Parallel()
	facts := Facts{
		Providers: []provider.Provider{
			{ID: "a", Names: provider.Text{EN: `The "A"`, ZH: "甲"}, Aliases: []string{"aa"}, Domains: []string{"a.{cc}"},
				SMTP: provider.SMTP{Host: "smtp.{domain}", AltHosts: []string{"127.0.0.1", "mx.a.example"}},
				HostsByDomain: map[string]provider.Hosts{
					"z.example": {SMTP: "smtp.z.example"}, "c.example": {SMTP: "mx.a.example"}, "d.example": {IMAP: "imap.d.example"}},
				HostsByRegion: map[string]string{"eu": "eu.a.example", "cn": "cn.a.example"},
				Relay:         &provider.Relay{Host: "relay.a.example"}},
			{ID: "b", Names: provider.Text{EN: "B", ZH: "乙"}, SMTP: provider.SMTP{Host: "127.0.0.1"}},
		},
		MXRules: []provider.MXRule{{Suffix: ".a.example", Provider: "a"}},
	}
	out, err := Index(facts)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`names:   []string{"a", "aa", "The \"A\"", "甲"},`,
		`domains: []string{"a.{cc}"},`,
		`hosts:   []string{"mx.a.example", "smtp.z.example", "cn.a.example", "eu.a.example", "relay.a.example"},`,
		`{".a.example", "a"},`,
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
	for _, never := range []string{"{domain}", "127.0.0.1", "imap", `, ""`} {
		if strings.Contains(string(out), never) {
			t.Errorf("%s in\n%s", never, out)
		}
	}
}
