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

	"github.com/yanmail/yan/internal/localerr"
)

// ErrNotServing: no daemon answers at the socket.
var ErrNotServing = localerr.New("no yan serve is running for this outbox")

// Client sends commands to the daemon of an outbox.
type Client struct {
	// Found is the daemon's status when it was dialled.
	Found StatusReply
	http  http.Client
}

// maxAnswer bounds a daemon's response, in octets.
const maxAnswer = 1 << 20

// Dial connects to the daemon at socket (see [SocketPath]) and reads its status. The error wraps
// ErrNotServing if socket is "" or no daemon answers there, and fs.ErrPermission if the socket
// belongs to another user. The caller closes the client.
func Dial(ctx context.Context, socket string) (*Client, error) {
	if socket == "" {
		return nil, ErrNotServing
	}
	// In a directory that other users may write to, any of them could impersonate the daemon.
	if info, err := os.Lstat(socket); err == nil && isForeign(info, os.Geteuid()) {
		return nil, localerr.Errorf("the socket %s belongs to another user: %w", socket, fs.ErrPermission)
	}
	t := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
		if err != nil {
			return nil, errors.Join(ErrNotServing, err)
		}
		return c, nil
	}}
	c := &Client{http: http.Client{Transport: t}}
	if err := c.request(ctx, http.MethodGet, pathStatus, &c.Found); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Status asks the daemon for its current status.
func (c *Client) Status(ctx context.Context) (StatusReply, error) {
	var s StatusReply
	err := c.request(ctx, http.MethodGet, pathStatus, &s)
	return s, err
}

// Wake makes the daemon look for due messages at once.
func (c *Client) Wake(ctx context.Context) error {
	return c.request(ctx, http.MethodPost, pathWake, nil)
}

// Reload makes the daemon read its configuration again. Reloaded.Error says why it kept the
// previous one; err is an error of the connection.
func (c *Client) Reload(ctx context.Context) (ReloadReply, error) {
	var r ReloadReply
	err := c.request(ctx, http.MethodPost, pathReload, &r)
	return r, err
}

// Close closes the client's idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func (c *Client) request(ctx context.Context, method, path string, into any) error {
	r, err := http.NewRequestWithContext(ctx, method, "http://yan"+path, nil)
	if err != nil {
		return err
	}
	a, err := c.http.Do(r)
	if err != nil {
		return localerr.Errorf("asking yan serve: %w", err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(io.LimitReader(a.Body, maxAnswer))
	if err != nil {
		return localerr.Errorf("asking yan serve: %w", err)
	}
	if a.Header.Get("Content-Type") != "application/json" {
		if a.StatusCode/100 == 2 && into == nil {
			return nil
		}
		return localerr.Errorf("asking yan serve: %w", fmt.Errorf("%s %s: %s", method, path, a.Status))
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return localerr.Errorf("asking yan serve: %w", err)
	}
	return nil
}
