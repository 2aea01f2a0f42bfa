package smtpclient

import (
	"fmt"
	"slices"
	"testing"

	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtp"
)

// Every refusal code with every mechanism, without text about the login: only three codes say
// that the mechanism is unknown, so that the password was not judged.
func TestUnknownMechanismByCode(t *testing.T) {
	t.Parallel()
	tried, yes := 0, 0
	for _, name := range sasl.Mechanisms() {
		for code := 400; code < 600; code++ {
			for _, text := range []string{"5.5.4 no", "no", name + " no", "AUTH " + name + " no"} {
				want := slices.Contains([]int{500, 502, 504}, code)
				r := reply(t, code, text)
				if got := unknownMechanism(name, r); got != want {
					t.Errorf("%s: %s: %v", name, r, got)
				} else if got {
					yes++
				}
				tried++
			}
		}
	}
	if tried != 10*200*4 || yes != 10*3*4 {
		t.Errorf("%d tried, %d of them mean it", tried, yes)
	}
}

func reply(t *testing.T, code int, text string) smtp.Reply {
	t.Helper()
	var p smtp.ReplyParser
	r, _, err := p.Line(fmt.Appendf(nil, "%d %s", code, text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Real replies of servers.
func TestUnknownMechanismByWords(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]bool{
		"504 5.5.4 Unrecognized authentication type":                                            true, // Postfix
		"504 5.7.4 Unrecognized authentication type":                                            true, // Exchange
		"504 5.5.4 PLAIN authentication mechanism not supported":                                true, // Exim
		"504 5.3.3 AUTH mechanism PLAIN not available":                                          true, // sendmail
		"504 auth type unimplemented (#5.5.1)":                                                  true, // qmail
		"502 5.5.2 Error: command not recognized":                                               true, // Postfix
		"500 5.5.1 Command unrecognized":                                                        true, // sendmail
		"501 5.5.4 Authentication mechanism not supported":                                      true,
		"533 authentication type unknown":                                                       true,
		"554 5.5.4 mechanism unsupported":                                                       true,
		"500 5.7.8 no":                                                                          false,
		"504 5.7.9 Authentication mechanism is too weak":                                        false,
		"504 Authentication failed":                                                             false,
		"502 Invalid password":                                                                  false,
		"500 too many errors":                                                                   false,
		"500 错误：授权码":                                                                            false,
		"501 5.5.2 Cannot decode response":                                                      false,
		"535 5.7.8 Error: authentication failed: Invalid authentication mechanism":              false, // Dovecot behind Postfix
		"535 mechanism not supported":                                                           false,
		"534 5.7.9 Application-specific password required":                                      false,
		"534 mechanism not supported":                                                           false,
		"538 5.7.11 Encryption required for requested authentication mechanism":                 false,
		"454 4.7.0 mechanism not supported":                                                     false,
		"554 5.7.1 mechanism not supported for this user":                                       false,
		"550 User has no permission":                                                            false,
		"421 4.7.0 mechanism not supported":                                                     false,
		"235 2.7.0 mechanism not supported":                                                     false,
		"530 5.7.0 Must issue a STARTTLS command first, authentication mechanism not supported": false,
	} {
		var code int
		if _, err := fmt.Sscan(said[:3], &code); err != nil {
			t.Fatal(err)
		}
		if got := unknownMechanism(sasl.Plain, reply(t, code, said[4:])); got != want {
			t.Errorf("%s: %v", said, got)
		}
	}
}
