package cli

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/sandbox"
	"github.com/yanmail/yan/internal/words"
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
		a, _, _ := testApp(words.English)
		var got sandbox.Config
		if err := a.limits(&got, []string{value}); err != nil || !reflect.DeepEqual(got, want) {
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
		"":                            "want a word, = and a number",
		"messages":                    "want a number from 1 to 999999",
		"messages=":                   "want a number from 1 to 999999",
		"messages=0":                  "want a number from 1 to 999999",
		"messages=-1":                 "want a number from 1 to 999999",
		"rcptmax=1000000":             "want a number from 1 to 999999",
		"messages=60/1m":              "want a number from 1 to 999999",
		"rate=60":                     "like rate=60/1m",
		"rate=60/m":                   "like rate=60/1m",
		"rate=60/0s":                  "like rate=60/1m",
		"rcptmax=5,452":               "no reply of its own",
		"messages=5,250":              "want a refusal",
		"messages=5,cut":              "want a refusal",
		"messages=5,421*1":            "want a refusal",
		"messages=5,":                 "want a refusal",
		"messages=5,421-4.7.0+a\r\nb": "want a refusal",
	} {
		a, _, _ := testApp(words.English)
		err := a.limits(&sandbox.Config{}, []string{value})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", value, err, want)
		}
	}
}

func TestQuirks(t *testing.T) {
	t.Parallel()
	a, _, _ := testApp(words.English)
	var cfg sandbox.Config
	if err := a.quirks(&cfg, quirkWords()[1:]); err != nil || len(cfg.Quirks) == 0 || !reflect.DeepEqual(cfg.Quirks, sandbox.Quirks()) {
		t.Errorf("%v, %v", cfg.Quirks, err)
	}
	for _, word := range []string{"", "help", "lunch", "Loses-Mail"} {
		if err := a.quirks(&cfg, []string{word}); err == nil {
			t.Errorf("%q was taken", word)
		}
	}
}

// Each quirk has a meaning in both languages.
func TestQuirkHelp(t *testing.T) {
	t.Parallel()
	for _, lang := range []words.Language{words.English, words.Chinese} {
		code, out, errs := run(t.Context(), nil, "sandbox", "--quirk", "help", "--lang", string(lang))
		if code != exitOK || errs != "" || len(sandbox.Quirks()) == 0 {
			t.Fatalf("exit status %d: %s", code, errs)
		}
		for _, q := range sandbox.Quirks() {
			_, meaning, found := strings.Cut(out, "\n  "+string(q)+" ")
			if meaning, _, _ = strings.Cut(meaning, "\n"); !found || strings.TrimSpace(meaning) == "" {
				t.Errorf("%s: %s has no meaning: %s", lang, q, out)
			}
		}
	}
}

// A sandbox with limits tells of them, keeps to them, and is served whole by a
// client that heeds them.
func TestSandboxWithLimits(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ready := make(chan struct{})
	w, _, errs := world(nil)
	out := &tripwire{word: `"event":"ready"`, trip: func() { close(ready) }}
	w.Stdout = out
	done := make(chan int)
	go func() {
		done <- Run(ctx, []string{"sandbox", "--json", "--exit-after", "6", "--limit", "rcptmax=2", "--limit", "messages=2", "--quirk", "keeps-transaction"}, w)
	}()
	select {
	case <-ready:
	case code := <-done:
		t.Fatalf("it ended with %d: %s", code, errs)
	}
	var first readyJSON
	decode(t, strings.SplitN(out.String(), "\n", 2)[0], &first)
	env := map[string]string{"YAN_PASSWORD": first.Password, "YAN_SERVER": first.URL, "YAN_TLS_CA": first.CA}
	code, o, e := run(ctx, env, "send", "-t", "a@example.org,b@example.org,c@example.org", "-b", "x", "--to-policy", "any", "-v")
	if code != exitOK || strings.Count(o, "accepted") != 3 || !strings.Contains(e, "LIMITS RCPTMAX=2") {
		t.Errorf("three recipients: exit status %d: %s%s", code, o, e)
	}
	if code, o, e = run(ctx, env, "send", "--raw", mails(t, 4)); code != exitOK || !strings.Contains(o, ": 4 sent\n") {
		t.Errorf("four messages: exit status %d: %s%s", code, o, e)
	}
	if code := <-done; code != exitOK {
		t.Errorf("exit status %d: %s", code, errs)
	}
}

func TestLockAfter(t *testing.T) {
	t.Parallel()
	a, _, _ := testApp(words.English)
	cfg, err := a.sandboxConfig(&sandboxFlags{profile: "gmail", lockAfter: 3, faults: []string{"auth=apppassword*1"}})
	want := []sandbox.Fault{{Stage: smtp.StageAuth, Action: sandbox.AppPassword, Times: 1}}
	if err != nil || cfg.LockAfter != 3 || !reflect.DeepEqual(cfg.Faults, want) {
		t.Errorf("%+v, %v", cfg, err)
	}
}
