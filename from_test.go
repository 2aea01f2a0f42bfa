package yan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/sandboxtest"
)

// A message without a sender is from the sender of the options, in Send and SendAll.
func TestFromOfTheOptions(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "plain")
	client, err := yan.Open(s.URL(), yan.Options{From: s.Login(), Password: s.Password(), CAFile: s.CAFile()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	m := yan.Message{To: []string{"a@example.org"}, Subject: "x", Text: "x"}
	if _, err := client.Send(t.Context(), m); err != nil {
		t.Error(err)
	}
	for _, err := range client.SendAll(t.Context(), slices.Values([]yan.Message{m})) {
		if err != nil {
			t.Error(err)
		}
	}
	for _, got := range s.WaitMessages(2) {
		if got.From != s.Login() || !strings.Contains(got.Header("From"), s.Login()) {
			t.Errorf("from %q, header %q", got.From, got.Header("From"))
		}
	}
}
