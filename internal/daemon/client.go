package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"

	"github.com/yanmail/yan/internal/sentence"
)

// ErrNotServing: nobody answers at a socket.
var ErrNotServing = sentence.New("no yan serve runs for this outbox")

// Client is how a command speaks to the daemon of an outbox.
type Client struct {
	// Found is the daemon's status when it was dialled.
	Found Status
	http  http.Client
}

// maxAnswer bounds what a daemon says, in octets.
const maxAnswer = 1 << 20

// Dial finds the daemon at a socket, see [SocketPath]; "" has none. The error wraps
// ErrNotServing when nobody serves there, and fs.ErrPermission when it is another
// user's. A client has to be closed.
func Dial(ctx context.Context, socket string) (*Client, error) {
	if socket == "" {
		return nil, ErrNotServing
	}
	// In a folder that many write to, anybody could pretend to be the daemon.
	if info, err := os.Lstat(socket); err == nil && isForeign(info, os.Geteuid()) {
		return nil, sentence.Errorf("the socket %s belongs to another user: %w", socket, fs.ErrPermission)
	}
	t := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
		if err != nil {
			return nil, errors.Join(ErrNotServing, err)
		}
		return c, nil
	}}
	c := &Client{http: http.Client{Transport: t}}
	if err := c.ask(ctx, http.MethodGet, pathStatus, &c.Found); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Status asks how it goes now.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var s Status
	err := c.ask(ctx, http.MethodGet, pathStatus, &s)
	return s, err
}

// Wake has the daemon look at once what is due.
func (c *Client) Wake(ctx context.Context) error {
	return c.ask(ctx, http.MethodPost, pathWake, nil)
}

// Reload has the daemon read its configuration again. Reloaded.Error says why it
// stayed with the one before; err is of the conversation.
func (c *Client) Reload(ctx context.Context) (Reloaded, error) {
	var r Reloaded
	err := c.ask(ctx, http.MethodPost, pathReload, &r)
	return r, err
}

// Close ends the conversation.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func (c *Client) ask(ctx context.Context, method, path string, into any) error {
	r, err := http.NewRequestWithContext(ctx, method, "http://yan"+path, nil)
	if err != nil {
		return err
	}
	a, err := c.http.Do(r)
	if err != nil {
		return sentence.Errorf("asking yan serve: %w", err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(io.LimitReader(a.Body, maxAnswer))
	if err != nil {
		return sentence.Errorf("asking yan serve: %w", err)
	}
	if a.Header.Get("Content-Type") != "application/json" {
		if a.StatusCode/100 == 2 && into == nil {
			return nil
		}
		return sentence.Errorf("asking yan serve: %w", fmt.Errorf("%s %s: %s", method, path, a.Status))
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return sentence.Errorf("asking yan serve: %w", err)
	}
	return nil
}
