package repair_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"testing"
)

// recorded is a message that a program wrote to sendmail.
type recorded struct {
	Program string `json:"program"`
	Text    string `json:"text"`
	Base64  string `json:"base64"` // instead of Text, if it is not UTF-8
}

func (r recorded) octets(t testing.TB) []byte {
	t.Helper()
	if r.Base64 == "" {
		return []byte(r.Text)
	}
	b, err := base64.StdEncoding.DecodeString(r.Base64)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// recordedMessages returns what 32 programs of Debian 12 wrote.
func recordedMessages(t testing.TB) []recorded {
	t.Helper()
	b, err := os.ReadFile("testdata/recorded.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var list []recorded
	in := bufio.NewScanner(bytes.NewReader(b))
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var r recorded
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	return list
}
