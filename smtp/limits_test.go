package smtp_test

import (
	"testing"

	"github.com/yanmail/yan/smtp"
)

// The limits of RFC 9422 are read in any case and order; malformed ones are ignored.
func TestLimits(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]smtp.Limits{
		"":                              {},
		"LIMITS":                        {},
		"LIMITS RCPTMAX=20 MAILMAX=100": {Transactions: 100, Recipients: 20},
		"limits rcptdomainmax=1 Other=7 mailmax=999999": {Transactions: 999_999, RecipientsDomains: 1},
		"LIMITS RCPTMAX=0 MAILMAX=1000000":              {},
		"LIMITS RCPTMAX=-3 MAILMAX=+3 RCPTDOMAINMAX=x":  {},
		"LIMITS RCPTMAX MAILMAX= RCPTDOMAINMAX=2=3":     {},
	} {
		got := smtp.ParseCapabilities(smtp.Reply{Code: 250, Lines: []string{"hello", line}}).Limits()
		if got != want {
			t.Errorf("%q: %+v, want %+v", line, got, want)
		}
	}
}

// A part of an envelope has the same sender and requests the same notifications.
func TestEnvelopeOnly(t *testing.T) {
	t.Parallel()
	address := func(s string) smtp.Address {
		a, err := smtp.ParseAddress(s)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	e, err := smtp.NewEnvelope(address("me@example.org"), address("a@x.org"), address("b@x.org"), address("c@x.org"))
	if err != nil {
		t.Fatal(err)
	}
	if e, err = e.WithDSN(smtp.DSN{Return: "HDRS"}); err != nil {
		t.Fatal(err)
	}
	part := e.Only(2, 0)
	if to := part.To(); len(to) != 2 || to[0].String() != "c@x.org" || to[1].String() != "a@x.org" ||
		!part.From().Equal(e.From()) || part.DSN().Return != "HDRS" {
		t.Errorf("part %+v", part)
	}
	if e.Len() != 3 || e.To()[0].String() != "a@x.org" {
		t.Error("the whole has changed")
	}
	if none := e.Only(); none.Len() != 0 || !none.From().IsZero() {
		t.Errorf("without recipients: %+v", none)
	}
}
