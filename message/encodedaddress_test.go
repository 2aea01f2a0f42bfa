package message

import "testing"

// An encoded word has no meaning within an address (RFC 2047 section 5, rule 3): a local part
// that resembles one is kept literally, in a header as in typed input.
func TestLocalPartLikeAnEncodedWord(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"=?0?0??=0@0", "=?utf-8?q?a?=@example.org", "=?x?B?YQ==?=b@example.org", "=?utf-8?q?a?@example.org"} {
		for _, value := range []string{address, "<" + address + ">", "Ann <" + address + ">", "=?utf-8?q?Ann?= <" + address + ">", "b@example.org, " + address} {
			parsed, err := mailboxesOf([]rawField{{"from", []byte(value)}}, "from")
			if err != nil || len(parsed) == 0 || parsed[len(parsed)-1].Address.String() != address {
				t.Errorf("%s: %v, %v", value, parsed, err)
			}
		}
	}
	// A name is decoded, also without a blank after it.
	parsed, err := mailboxesOf([]rawField{{"from", []byte("=?utf-8?q?Ann?=<a@example.org>")}}, "from")
	if err != nil || len(parsed) != 1 || parsed[0].Name != "Ann" {
		t.Errorf("%v, %v", parsed, err)
	}
}
