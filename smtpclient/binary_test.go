package smtpclient_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// octets is a message with arbitrary octets.
type octets struct{ text }

func (octets) IsBinary() bool { return true }

// A binary message is sent unchanged, in a chunk announced as binary, and only to a server that
// offers BINARYMIME.
func TestBinaryMessage(t *testing.T) {
	t.Parallel()
	data := "Subject: 0\r\n\r\n\x00\xff\r\n.\r\nbare \r and \n, and no end\r"
	for _, tc := range []struct {
		caps       string
		noChunking bool
		want       error
	}{
		{caps: "PIPELINING CHUNKING BINARYMIME"},
		{caps: "CHUNKING BINARYMIME"},
		{caps: "PIPELINING BINARYMIME", want: smtpclient.ErrNeedsBINARYMIME},
		{caps: "PIPELINING CHUNKING 8BITMIME", want: smtpclient.ErrNeedsBINARYMIME},
		{caps: "PIPELINING CHUNKING BINARYMIME", noChunking: true, want: smtpclient.ErrNeedsBINARYMIME},
	} {
		t.Run(tc.caps, func(t *testing.T) {
			t.Parallel()
			server := &simple{caps: strings.Fields(tc.caps)}
			cfg := plainConfig()
			cfg.NoChunking = tc.noChunking
			cfg, rec, done := pipe(cfg, server.serve)
			conn, err := smtpclient.Dial(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			for _, piece := range []int{0, 1, 7} {
				content := octets{text{data: data, eight: true, piece: piece}}
				o := conn.Send(t.Context(), smtpclient.Transaction{Envelope: envelope(t, "a@x.org", "b@x.org"), Content: content}).Outcomes[0]
				if !errors.Is(o.Err, tc.want) || tc.want == nil && o.Status != smtp.Accepted {
					t.Errorf("outcome %v, want %v", o, tc.want)
				}
			}
			conn.Quit(t.Context())
			<-done
			want := 3
			if tc.want != nil {
				want = 0
			}
			if got := server.taken(); len(got) != want || want > 0 && (got[0] != data || got[1] != data || got[2] != data) {
				t.Errorf("the server has %q", got)
			}
			if said := strings.Count(rec.written(), "MAIL FROM:<a@x.org> BODY=BINARYMIME\r\n"); said != want {
				t.Errorf("%d times BODY=BINARYMIME", said)
			}
		})
	}
}
