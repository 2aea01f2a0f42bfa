package oauth

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

const (
	// consentTime limits the wait for the user.
	consentTime = 10 * time.Minute
	// farewell limits the wait until the browser has read its page. Browsers
	// keep idle connections open, so it often runs out.
	farewell = time.Second
)

// Browser asks for consent in the local browser: open is called once with the
// URL to open, and returns without waiting for the user. Browser listens on
// 127.0.0.1 until the redirect has come, ten minutes have passed, or the
// context ends. The error is an [*Error], that of open, or that of the context.
func (c Client) Browser(ctx context.Context, open func(url string) error) (Token, error) {
	if err := c.checkConfig(); err != nil {
		return Token{}, err
	}
	if c.AuthURL == "" {
		return Token{}, &Error{Problem: BadURL, Err: errors.New("there is no authorization URL")}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return Token{}, fmt.Errorf("wait for the browser: %w", err)
	}
	// In every case the exchange of the code ends on return.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := c.redirect(ctx, listener.Addr().(*net.TCPAddr).Port)
	server := &http.Server{
		Handler:           r,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      answerTime + 10*time.Second, // the page waits for the token
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          discardLogger(),
	}
	go func() { _ = server.Serve(listener) }() // ends with Shutdown or Close
	defer stopServer(server)
	if err := open(r.authURL()); err != nil {
		return Token{}, err
	}
	late := make(chan error, 1)
	go func() { late <- c.wait(ctx, consentTime) }()
	select {
	case <-r.done:
		return r.token, r.err
	case err := <-late:
		if err != nil {
			return Token{}, err
		}
		return Token{}, &Error{Problem: Expired, Host: hostOf(c.AuthURL)}
	}
}

// stopServer shuts down a server after its last page was sent.
func stopServer(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		_ = server.Close() // after the timeout the rest is dropped
	}
}

// redirect waits for the browser's redirect from the authorization server.
type redirect struct {
	client          Client
	ctx             context.Context // of the whole operation, not of one request
	host            string          // with port, as in the browser's Host header
	state, verifier string

	once  sync.Once
	done  chan struct{} // closed when the answer has come; the fields below are written before
	token Token
	err   error
}

func (c Client) redirect(ctx context.Context, port int) *redirect {
	host := c.RedirectHost
	if host == "" {
		host = "127.0.0.1"
	}
	return &redirect{
		client: c, ctx: ctx, host: fmt.Sprintf("%s:%d", host, port),
		// 256 random bits each.
		state: oauth2.GenerateVerifier(), verifier: oauth2.GenerateVerifier(), done: make(chan struct{}),
	}
}

// redirectURI has no path, because the form that Google and Microsoft document has
// none: the server compares it with the registered one, except for the port.
func (r *redirect) redirectURI() string { return "http://" + r.host }

func (r *redirect) authURL() string {
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(r.verifier)}
	if r.client.LoginHint != "" {
		options = append(options, oauth2.SetAuthURLParam("login_hint", r.client.LoginHint))
	}
	for name, value := range r.client.AuthParams {
		options = append(options, oauth2.SetAuthURLParam(name, value))
	}
	config := oauth2.Config{
		ClientID: r.client.ID, RedirectURL: r.redirectURI(), Scopes: r.client.Scopes,
		Endpoint: oauth2.Endpoint{AuthURL: r.client.AuthURL},
	}
	return config.AuthCodeURL(r.state, options...)
}

// ServeHTTP accepts the one redirect that has our state. Other requests, by
// mistake or not, change nothing.
func (r *redirect) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	query, err := url.ParseQuery(req.URL.RawQuery)
	switch {
	case req.URL.Path != "/" || req.Host != r.host:
		showPage(w, http.StatusNotFound, pageNothing)
	case req.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		showPage(w, http.StatusMethodNotAllowed, pageNothing)
	case err != nil || subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(r.state)) != 1:
		showPage(w, http.StatusBadRequest, pageOther)
	default:
		first := false
		r.once.Do(func() {
			first = true
			r.token, r.err = r.handleAnswer(query)
			close(r.done)
		})
		showPage(w, http.StatusOK, r.page(first))
	}
}

// handleAnswer implements RFC 6749 sections 4.1.2 and 4.1.3.
func (r *redirect) handleAnswer(query url.Values) (Token, error) {
	host := hostOf(r.client.AuthURL)
	if code := query.Get("error"); code != "" {
		e := &Error{Host: host, Code: cleanText(code, r.state), Description: cleanText(query.Get("error_description"), r.state)}
		e.Problem = problemOf(code, 0)
		return Token{}, e
	}
	if len(query["code"]) != 1 || query.Get("code") == "" {
		return Token{}, &Error{Problem: Failing, Host: host, Err: errors.New("the browser came back without a code")}
	}
	return r.client.requestToken(r.ctx, url.Values{
		"grant_type": {"authorization_code"}, "code": {query.Get("code")},
		"redirect_uri": {r.redirectURI()}, "code_verifier": {r.verifier},
	})
}

func (r *redirect) page(first bool) resultPage {
	switch {
	case !first:
		return pageAgain
	case r.err == nil:
		return pageDone
	case errors.Is(r.err, ErrDenied):
		return pageDenied
	default:
		return pageFailed
	}
}
