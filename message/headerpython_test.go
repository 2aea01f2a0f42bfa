package message

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Random address fields of RFC 5322, including comments, routes and obsolete forms, are read as
// Python's email package reads them. The corpus is the output of "interop/addresses.py 1 1000";
// the interop suite compares new ones with Python itself.
func TestHeaderListAsPythonReadsIt(t *testing.T) {
	t.Parallel()
	file, err := os.Open(filepath.Join("testdata", "addresses.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() // opened for reading
	compared := 0
	for in := bufio.NewScanner(file); in.Scan(); {
		var field string
		var want [][2]string
		if err := json.Unmarshal(in.Bytes(), &[]any{&field, &want}); err != nil {
			t.Fatal(err)
		}
		if want == nil {
			continue
		}
		compared++
		boxes, err := mailboxesOf([]rawField{{"to", []byte(field)}}, "to")
		if err != nil {
			t.Errorf("%q: %v, Python reads %q", field, err, want)
			continue
		}
		var got, wanted []string
		for _, m := range boxes {
			local := m.Address.Local()
			if strings.HasPrefix(local, `"`) {
				local = unquoteString(local)
			}
			got = append(got, local+"@"+m.Address.ASCIIDomain())
		}
		for _, a := range want {
			wanted = append(wanted, a[0]+"@"+a[1])
		}
		if strings.Join(got, "\n") != strings.Join(wanted, "\n") {
			t.Errorf("%q: %q, Python reads %q", field, got, wanted)
		}
	}
	if compared < 900 {
		t.Errorf("only %d compared", compared)
	}
	t.Logf("%d compared", compared)
}
