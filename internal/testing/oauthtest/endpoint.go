package oauthtest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// serveAuthorize serves the consent page (RFC 6749 section 4.1.1, RFC 7636 section
// 4.3).
func (s *Server) serveAuthorize(w http.ResponseWriter, req *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls.Authorize++
	q := req.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	// It redirects only to loopback.
	if err != nil || back.Scheme != "http" || !loopback(back.Hostname()) || back.Port() == "" {
		s.recordProblem("authorize: redirect_uri %q is not of this machine", q.Get("redirect_uri"))
		http.Error(w, "redirect_uri", http.StatusBadRequest)
		return
	}
	answer := url.Values{"state": {q.Get("state")}}
	switch {
	case q.Get("client_id") != s.config.ClientID:
		answer.Set("error", "unauthorized_client")
	case q.Get("response_type") != "code":
		answer.Set("error", "unsupported_response_type")
	case q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43:
		s.recordProblem("authorize: no PKCE with S256")
		answer.Set("error", "invalid_request")
	case q.Get("scope") == "":
		answer.Set("error", "invalid_scope")
	case s.consent != "":
		answer.Set("error", s.consent)
		answer.Set("error_description", "what the user, or an administrator, did")
	default:
		user := q.Get("login_hint")
		if user == "" {
			user = s.config.User
		}
		code := "code-" + rand.Text()
		s.codes[code] = codeGrant{user, q.Get("redirect_uri"), q.Get("code_challenge")}
		answer.Set("code", code)
	}
	if len(q.Get("state")) < 16 {
		s.recordProblem("authorize: the state %q can be guessed", q.Get("state"))
	}
	back.RawQuery = answer.Encode()
	if back.Path == "" {
		back.Path = "/" // as Microsoft does
	}
	http.Redirect(w, req, back.String(), http.StatusFound)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// serveToken implements RFC 6749 section 3.2.
func (s *Server) serveToken(w http.ResponseWriter, req *http.Request) {
	if err := req.ParseForm(); err != nil {
		refuse(w, http.StatusBadRequest, "invalid_request")
		return
	}
	kind := req.PostForm.Get("grant_type")
	if s.config.Before != nil {
		s.config.Before(kind)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count(kind)
	if len(s.failures) > 0 {
		f := s.failures[0]
		s.failures = s.failures[1:]
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(f.status)
		_, _ = w.Write([]byte(f.body))
		return
	}
	if !s.isClient(req) {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	user, code := s.redeemGrant(kind, req.PostForm)
	if code != "" {
		refuse(w, http.StatusBadRequest, code)
		return
	}
	t := s.issueTokens(user)
	answer := map[string]any{"access_token": t.Access, "token_type": "Bearer"}
	if s.config.Lifetime > 0 {
		answer["expires_in"] = int(s.config.Lifetime.Seconds())
	}
	if kind == "refresh_token" && !s.config.Rotate {
		delete(s.refresh, t.Refresh)
	} else if t.Refresh != "" {
		answer["refresh_token"] = t.Refresh
	}
	w.Header().Set("Cache-Control", "no-store")
	reply(w, http.StatusOK, answer)
}

func (s *Server) count(kind string) {
	switch kind {
	case "authorization_code":
		s.calls.Code++
	case "refresh_token":
		s.calls.Refresh++
	case deviceGrant:
		s.calls.Poll++
	default:
		s.recordProblem("token: grant_type %q", kind)
	}
}

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// isClient implements RFC 6749 section 2.3.1.
func (s *Server) isClient(req *http.Request) bool {
	id, secret, basic := req.BasicAuth()
	if basic {
		// Both are form-encoded in the header.
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	} else if s.config.BasicOnly {
		return false
	} else {
		id, secret = req.PostForm.Get("client_id"), req.PostForm.Get("client_secret")
	}
	return id == s.config.ClientID && secret == s.config.ClientSecret
}

// redeemGrant returns the user of a grant, or the error code.
func (s *Server) redeemGrant(kind string, form url.Values) (user, code string) {
	switch kind {
	case "authorization_code":
		g, known := s.codes[form.Get("code")]
		delete(s.codes, form.Get("code")) // it is valid once
		challenge := sha256.Sum256([]byte(form.Get("code_verifier")))
		switch {
		case !known:
			return "", "invalid_grant"
		case form.Get("redirect_uri") != g.redirect:
			s.recordProblem("token: another redirect_uri, %q", form.Get("redirect_uri"))
			return "", "invalid_grant"
		case base64.RawURLEncoding.EncodeToString(challenge[:]) != g.challenge:
			s.recordProblem("token: the code_verifier is not that of the challenge")
			return "", "invalid_grant"
		}
		return g.user, ""
	case deviceGrant:
		return s.pollDevice(form.Get("device_code"))
	case "refresh_token":
		user, known := s.refresh[form.Get("refresh_token")]
		if !known {
			if former, spent := s.spent[form.Get("refresh_token")]; spent && s.config.ReuseEnds {
				s.recordProblem("token: a refresh token was shown twice")
				s.endConsent(former)
			}
			return "", "invalid_grant"
		}
		if s.config.Rotate {
			delete(s.refresh, form.Get("refresh_token"))
			s.spent[form.Get("refresh_token")] = user
		}
		return user, ""
	default:
		return "", "unsupported_grant_type"
	}
}

// pollDevice implements RFC 8628 section 3.5.
func (s *Server) pollDevice(device string) (user, code string) {
	user, known := s.devices[device]
	switch {
	case !known:
		return "", "invalid_grant"
	case len(s.polls) > 0:
		code, s.polls = s.polls[0], s.polls[1:]
		return "", code
	case s.consent != "":
		return "", s.consent
	}
	delete(s.devices, device)
	return user, ""
}

// serveDevice implements RFC 8628 section 3.2: the code lives ten minutes and may be
// polled every two seconds.
func (s *Server) serveDevice(w http.ResponseWriter, req *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls.Device++
	if req.PostFormValue("client_id") != s.config.ClientID || req.PostFormValue("client_secret") != s.config.ClientSecret {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	device := "device-" + rand.Text()
	s.devices[device] = s.config.User
	page := strings.TrimSuffix(s.DeviceURL, "/device") + "/activate"
	reply(w, http.StatusOK, map[string]any{
		"device_code": device, "user_code": "WDJB-MJHT", "verification_uri": page,
		"verification_uri_complete": page + "?user_code=WDJB-MJHT", "expires_in": 600, "interval": 2,
	})
}

// serveIntrospect implements RFC 7662; the token comes in the form, or as the bearer
// of a request.
func (s *Server) serveIntrospect(w http.ResponseWriter, req *http.Request) {
	access, bearer := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
	if !bearer {
		access = req.PostFormValue("token")
	}
	user, ok := s.Valid(access)
	s.mu.Lock()
	s.calls.Introspect++
	s.mu.Unlock()
	if !ok {
		reply(w, http.StatusOK, map[string]any{"active": false})
		return
	}
	reply(w, http.StatusOK, map[string]any{"active": true, "username": user, "client_id": s.config.ClientID})
}

func refuse(w http.ResponseWriter, status int, code string) {
	reply(w, status, map[string]any{"error": code})
}

func reply(w http.ResponseWriter, status int, answer map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // the client may have disconnected
}
