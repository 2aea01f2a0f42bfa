package sandbox

import (
	"slices"
	"sync"
	"time"
)

// What a login can be refused for, as actions of stage auth. Each provider
// says it in its own words; one that has none for it gives its usual refusal,
// as providers do that tell nothing apart.
const (
	WrongCode   Action = "wrongcode"   // the password or authorization code is wrong
	ServiceOff  Action = "serviceoff"  // SMTP is not enabled for the account
	Blocked     Action = "blocked"     // the account is
	AppPassword Action = "apppassword" // an app password or authorization code is wanted
	WebLogin    Action = "weblogin"    // a login on the web is wanted first
	TooMany     Action = "toomany"     // logins in a short time
	BasicOff    Action = "basicoff"    // passwords are not taken at all any more
	Policy      Action = "policy"      // the organization's rules
	IPDenied    Action = "ipdenied"    // the client's address is not allowed
)

// loginRefusals lists them.
func loginRefusals() []Action {
	return []Action{WrongCode, ServiceOff, Blocked, AppPassword, WebLogin, TooMany, BasicOff, Policy, IPDenied}
}

func (a Action) refusesLogin() bool { return slices.Contains(loginRefusals(), a) }

// loginRefusal gives the provider's words.
func (p profile) loginRefusal(a Action) string {
	if reply := p.words.refusals[a]; reply != "" {
		return reply
	}
	return p.words.authFailed
}

// LockTime is how long an account stays locked (Config.LockAfter).
const LockTime = time.Hour

// maxTracked bounds the logins whose failures are remembered; who tries more
// of them finds none locked.
const maxTracked = 1000

// lock counts wrong logins and shuts accounts that had too many.
type lock struct {
	mu    sync.Mutex
	tries map[string]tries
}

type tries struct {
	wrong int // in a row
	until time.Time
}

// note takes down a login that was right or wrong, and tells whether the
// account was locked before it; while it is, nothing counts.
func (l *lock) note(login string, right bool, after int, now time.Time) (locked bool) {
	if after == 0 || login == "" {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	t, known := l.tries[login]
	if t.until.After(now) {
		return true
	}
	if right {
		delete(l.tries, login)
		return false
	}
	if !known && len(l.tries) >= maxTracked {
		return false
	}
	if l.tries == nil {
		l.tries = map[string]tries{}
	}
	if !t.until.IsZero() { // it was locked, and that is over
		t = tries{}
	}
	if t.wrong++; t.wrong >= after {
		t.until = now.Add(LockTime)
	}
	l.tries[login] = t
	return false
}
