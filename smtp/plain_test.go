package smtp

import (
	"math/rand/v2"
	"testing"

	"golang.org/x/net/idna"
)

// What is taken for plain is what IDNA makes of it.
func TestPlainDomainsAreThoseOfIDNA(t *testing.T) {
	t.Parallel()
	profile := idna.New(idna.MapForLookup(), idna.BidiRule(), idna.CheckJoiners(true),
		idna.StrictDomainName(true), idna.VerifyDNSLength(true))
	r := rand.New(rand.NewPCG(1, 1))
	plain := 0
	for range 200_000 {
		s := make([]byte, 1+r.IntN(12))
		for i := range s {
			s[i] = "ax-.-.0nA"[r.IntN(9)]
		}
		if !isPlainDomain(string(s)) {
			continue
		}
		plain++
		if got, err := profile.ToASCII(string(s)); err != nil || got != string(s) {
			t.Fatalf("%q is %q, %v", s, got, err)
		}
	}
	if plain < 1000 {
		t.Fatalf("only %d", plain)
	}
}
