package postgres_test

import (
	"errors"
	"io"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/postgres"
	"github.com/yanmail/yan/internal/testing/pgtest"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/queue"
)

// A large body that was changed is never read to its end.
func TestALargeBodyThatWasChanged(t *testing.T) {
	t.Parallel()
	url := pgtest.Start(t).Database(t)
	s := openStore(t, url, outbox.Options{InlineBytes: 100}, postgres.TestSettings{})
	c, err := message.Compose(&message.Message{From: "a@example.org", To: []string{"b@example.org"}, Text: "a text of its own"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	envelope, err := c.Envelope()
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Enqueue(t.Context(), outbox.NewMessage{Account: "a", Envelope: envelope, Content: c})
	if err != nil {
		t.Fatal(err)
	}
	read := func() (int, error) {
		body, err := s.Body(t.Context(), r.ID)
		if err != nil {
			return 0, err
		}
		defer body.Close()
		text, err := io.ReadAll(body)
		return len(text), err
	}
	if n, err := read(); err != nil || int64(n) != c.Size() {
		t.Fatal(n, err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, sql := range []string{
		"update yan.chunk set data = set_byte(data, 5, 0)",
		"update yan.chunk set data = substr(data, 1, 50)",
		"update yan.chunk set data = data || data",
		"delete from yan.chunk",
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
		if n, err := read(); !errors.Is(err, queue.ErrNoBody) || int64(n) == c.Size() {
			t.Errorf("%s: %d octets, %v", sql, n, err)
		}
	}
}
