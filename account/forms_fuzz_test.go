package account_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/yanmail/yan/account"
)

// TestEditsOfManyForms is FuzzEdit with random documents, which are valid more often than those
// of a fuzzer.
func TestEditsOfManyForms(t *testing.T) {
	t.Parallel()
	const documents = 1000
	valid, made := 0, 0
	for seed := range uint64(documents) {
		r := rand.New(rand.NewPCG(seed, 0))
		source := anyForm(r)
		if _, err := account.Parse("f", []byte(source)); err == nil {
			valid++
		}
		pick := func(list ...string) string { return list[r.IntN(len(list))] }
		if tryEdit(t, byte(r.IntN(5)), source, pick("a", "b", "c"),
			pick("timeout", "user", "signature", "secret.file", "headers.X-A", "headers.x-b", "oauth2.client_id", "oauth2.tenant", "connections", "match", "headers", "oauth2", "secret"),
			pick("5m", "x", "3", `["x@y.example"]`, `# "`, `{ client_id = "y" }`)) {
			made++
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if valid < documents/2 || made < documents/3 {
		t.Errorf("only %d of %d documents make sense, only %d changes were made", valid, documents, made)
	}
}

// anyForm writes two accounts in a random style, with comments and blank lines.
func anyForm(r *rand.Rand) string {
	var b strings.Builder
	end, comments := "\n", 0
	if r.IntN(3) == 0 {
		end = "\r\n"
	}
	line := func(s string) {
		for range r.IntN(3) {
			if r.IntN(2) == 0 {
				comments++
				fmt.Fprintf(&b, "# %d%s", comments, end)
			} else {
				b.WriteString(end)
			}
		}
		b.WriteString(s + end)
	}
	if r.IntN(4) == 0 {
		b.WriteString("\ufeff")
	}
	if r.IntN(2) == 0 {
		line(`default = "a"`)
	}
	a, other := anyKeys(r, "a", end), anyKeys(r, "b", end)
	switch style := r.IntN(5); style {
	case 0:
		line("account = { a = { " + strings.Join(a, ", ") + " }, b." + strings.Join(other, ", b.") + " }")
	case 1, 2:
		dotted := "account."
		if style == 2 {
			line("[account]")
			dotted = ""
		}
		line(dotted + "a." + strings.Join(a, end+dotted+"a."))
		for _, key := range other {
			line(dotted + "b." + key)
		}
	default:
		line("[account.a]")
		for _, key := range a {
			line(key)
		}
		line(`["account"."b"]`)
		for _, key := range other {
			line(key)
		}
		for _, table := range []string{"a.oauth2", "b.oauth2"} {
			if !strings.Contains(b.String(), "oauth2") && r.IntN(2) == 0 {
				line("[account." + table + "]")
				line(`client_id = "x"`)
			}
		}
	}
	if r.IntN(3) == 0 {
		line("[defaults]")
		line(`headers = { x-a = "d" }`)
	}
	line("# end")
	return strings.TrimSuffix(b.String(), end)
}

// anyKeys returns some of the keys of an account.
func anyKeys(r *rand.Rand, name, end string) []string {
	keys := []string{fmt.Sprintf(`from = "%s@qq.com"`, name)}
	for _, forms := range [][]string{
		{`user = "u"`},
		{`secret.env = "E"`, `secret = { command = "x" }`},
		{`oauth2 = { client_id = "x", tenant = "t" }`, `oauth2.client_id = "x"`},
		{`headers = { X-A = "1", x-b = "" }`, `headers."x-a" = "1"`},
		{"signature = '''x" + end + "# y'''"},
		{"match = [ # c" + end + ` "*@y.example" ]`},
		{"timeout = '1m'"},
	} {
		if r.IntN(3) == 0 {
			keys = append(keys, forms[r.IntN(len(forms))])
		}
	}
	r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	return keys
}
