package main

import (
	"strings"
	"testing"
)

func TestArrivalIsChecked(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/attachment.bin"
	if err := writeAttachment(file, 100_001); err != nil {
		t.Fatal(err)
	}
	m := mail{from: "a@b.example", to: []string{"c@d.example"}, subject: "第 1 封", text: "one\r\n.two\r\n", attachment: file}
	var whole strings.Builder
	if err := writeByHand(&whole, m); err != nil {
		t.Fatal(err)
	}
	good := taken{recipients: 1, data: []byte(whole.String())}
	change := func(old, new string) taken {
		changed := strings.Replace(whole.String(), old, new, 1)
		if changed == whole.String() {
			t.Fatalf("%q is not in the message", old)
		}
		return taken{recipients: 1, data: []byte(changed)}
	}
	stuffed := change("\r\n.two", "\r\n..two")
	stuffed.stuffed = true
	lost := good
	lost.stuffed = true
	for _, test := range []struct {
		name    string
		arrived []taken
		fails   bool
	}{
		{"whole", []taken{good}, false},
		{"whole, with stuffed dots", []taken{stuffed}, false},
		{"a dot lost", []taken{lost}, true},
		{"lost", nil, true},
		{"twice", []taken{good, good}, true},
		{"to too few", []taken{{recipients: 0, data: good.data}}, true},
		{"another subject", []taken{change("Subject: ", "Subject: x")}, true},
		{"another text", []taken{change("two", "2wo")}, true},
		{"cut", []taken{{recipients: 1, data: good.data[:len(good.data)-200]}}, true},
		{"a line lost", []taken{change(whole.String()[60_000:60_078], "")}, true},
		{"no attachment", []taken{change("attachment; filename", "inline; filename")}, true},
		{"no header", []taken{{recipients: 1, data: []byte("one\r\n")}}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var seen []arrived
			for _, one := range test.arrived {
				one.data = append([]byte(nil), one.data...) // unstuffed in place
				seen = append(seen, parseMessage(one))
			}
			if err := checkArrivals(seen, []mail{m}); (err != nil) != test.fails {
				t.Errorf("got %v, want an error: %t", err, test.fails)
			}
		})
	}
}
