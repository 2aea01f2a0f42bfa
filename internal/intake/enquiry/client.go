package enquiry

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"

	"github.com/yanmail/yan/internal/localerr"
)

// Enquirer asks the daemon. Close it.
type Enquirer struct{ http http.Client }

// maxAnswer bounds an answer, in octets: a page has at most 4,000 recipients.
const maxAnswer = 8 << 20

// Dial returns an Enquirer for a socket. It connects when something is asked; the error is then that
// of net.Dial if no daemon answers.
func Dial(socket string) *Enquirer {
	return &Enquirer{http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
		Proxy: nil, // a socket has none
	}}}
}

// Close closes the connection.
func (c *Enquirer) Close() { c.http.CloseIdleConnections() }

// Messages calls each with every unfinished message of this user (for root, of all), the oldest
// first.
func (c *Enquirer) Messages(ctx context.Context, each func(Waiting)) error {
	after := ""
	for {
		var page WaitingPage
		if err := c.ask(ctx, http.MethodGet, pathMessages, url.Values{"after": {after}}, &page); err != nil {
			return err
		}
		for _, m := range page.Messages {
			each(m)
			after = strconv.FormatInt(int64(m.ID), 10)
		}
		if !page.More || len(page.Messages) == 0 {
			return nil
		}
	}
}

// Route returns what would become of a recipient.
func (c *Enquirer) Route(ctx context.Context, to string) (Route, error) {
	var r Route
	err := c.ask(ctx, http.MethodGet, pathRoute, url.Values{"to": {to}}, &r)
	return r, err
}

// Wake makes the daemon look for due messages.
func (c *Enquirer) Wake(ctx context.Context) error {
	return c.ask(ctx, http.MethodPost, pathWake, nil, nil)
}

func (c *Enquirer) ask(ctx context.Context, method, path string, query url.Values, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, "http://yan"+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close() // only read
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	switch {
	case err != nil:
		return err
	case answer.StatusCode/100 != 2:
		return localerr.Errorf("yan serve answered %d: %s", answer.StatusCode, fmt.Sprintf("%.200q", body))
	case into == nil:
		return nil
	}
	return json.Unmarshal(body, into)
}
