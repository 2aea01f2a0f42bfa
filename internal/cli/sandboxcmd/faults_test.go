package sandboxcmd

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/internal/sandbox"
	"github.com/yanmail/yan/smtp"
)

func TestLimits(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]sandbox.Config{
		"messages=10":                      {MessagesPerConnection: sandbox.Bound{Max: 10}},
		"connections=2,421-4.7.0+Too_many": {ConnectionsAtOnce: sandbox.Bound{Max: 2, Reply: "421 4.7.0 Too many"}},
		"Connections=2,432":                {ConnectionsAtOnce: sandbox.Bound{Max: 2, Reply: "432 Too many"}},
		"rate=60/1m":                       {MessageRate: sandbox.Rate{Bound: sandbox.Bound{Max: 60}, Window: time.Minute}},
		"rate=1/90s,450+wait~_1_h":         {MessageRate: sandbox.Rate{Bound: sandbox.Bound{Max: 1, Reply: "450 wait: 1 h"}, Window: 90 * time.Second}},
		"mailmax=999999":                   {Limits: smtp.Limits{Transactions: 999_999}},
		"rcptmax=5":                        {Limits: smtp.Limits{Recipients: 5}},
		"rcptdomainmax=1":                  {Limits: smtp.Limits{RecipientsDomains: 1}},
	} {
		a, _, _ := testApp(i18n.English)
		var got sandbox.Config
		if err := a.parseLimits(&got, []string{value}); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", value, got, err)
		}
		got.Profile = sandbox.Plain
		server, err := sandbox.Start(got)
		if err != nil {
			t.Errorf("%s: %v", value, err)
			continue
		}
		_ = server.Close()
	}
}

func TestWrongLimits(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"":                            "want WORD=NUMBER",
		"messages":                    "want a number from 1 to 999999",
		"messages=":                   "want a number from 1 to 999999",
		"messages=0":                  "want a number from 1 to 999999",
		"messages=-1":                 "want a number from 1 to 999999",
		"rcptmax=1000000":             "want a number from 1 to 999999",
		"messages=60/1m":              "want a number from 1 to 999999",
		"rate=60":                     "such as rate=60/1m",
		"rate=60/m":                   "such as rate=60/1m",
		"rate=60/0s":                  "such as rate=60/1m",
		"rcptmax=5,452":               "no reply of their own",
		"messages=5,250":              "want a refusal",
		"messages=5,cut":              "want a refusal",
		"messages=5,421*1":            "want a refusal",
		"messages=5,":                 "want a refusal",
		"messages=5,421-4.7.0+a\r\nb": "want a refusal",
	} {
		a, _, _ := testApp(i18n.English)
		err := a.parseLimits(&sandbox.Config{}, []string{value})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", value, err, want)
		}
	}
}

func TestQuirks(t *testing.T) {
	t.Parallel()
	a, _, _ := testApp(i18n.English)
	var cfg sandbox.Config
	if err := a.parseQuirks(&cfg, quirkWords()[1:]); err != nil || len(cfg.Quirks) == 0 || !reflect.DeepEqual(cfg.Quirks, sandbox.Quirks()) {
		t.Errorf("%v, %v", cfg.Quirks, err)
	}
	for _, word := range []string{"", "help", "lunch", "Loses-Mail"} {
		if err := a.parseQuirks(&cfg, []string{word}); err == nil {
			t.Errorf("%q was accepted", word)
		}
	}
}

func TestLockAfter(t *testing.T) {
	t.Parallel()
	a, _, _ := testApp(i18n.English)
	cfg, err := a.sandboxConfig(&sandboxFlags{profile: "gmail", lockAfter: 3, faults: []string{"auth=apppassword*1"}})
	want := []sandbox.Fault{{Stage: smtp.StageAuth, Action: sandbox.AppPassword, Times: 1}}
	if err != nil || cfg.LockAfter != 3 || !reflect.DeepEqual(cfg.Faults, want) {
		t.Errorf("%+v, %v", cfg, err)
	}
}
