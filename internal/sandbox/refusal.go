package sandbox

import (
	"slices"
	"sync"
	"time"
)

// The reasons for which a login can be refused, as actions of stage auth. Each
// provider has its own replies; one that does not distinguish a reason sends
// its usual refusal.
const (
	WrongCode   Action = "wrongcode"   // the password or authorization code is wrong
	ServiceOff  Action = "serviceoff"  // SMTP is not enabled for the account
	Blocked     Action = "blocked"     // the account is blocked
	AppPassword Action = "apppassword" // an app password or authorization code is required
	WebLogin    Action = "weblogin"    // a login on the web is required first
	TooMany     Action = "toomany"     // too many logins in a short time
	BasicOff    Action = "basicoff"    // passwords are no longer accepted
	Policy      Action = "policy"      // the organization's rules
	IPDenied    Action = "ipdenied"    // the client's address is not allowed
)

// loginRefusals lists the reasons.
func loginRefusals() []Action {
	return []Action{WrongCode, ServiceOff, Blocked, AppPassword, WebLogin, TooMany, BasicOff, Policy, IPDenied}
}

func (a Action) refusesLogin() bool { return slices.Contains(loginRefusals(), a) }

// loginRefusal returns the provider's reply.
func (p profile) loginRefusal(a Action) string {
	if reply := p.words.refusals[a]; reply != "" {
		return reply
	}
	return p.words.authFailed
}

// LockTime is how long an account stays locked (Config.LockAfter).
const LockTime = time.Hour

// maxTracked limits the logins whose failures are remembered; further logins
// are never locked.
const maxTracked = 1000

// lock counts wrong logins and locks accounts that had too many.
type lock struct {
	mu    sync.Mutex
	tries map[string]tries
}

type tries struct {
	wrong int // in a row
	until time.Time
}

// recordLogin records a right or wrong login and reports whether the account was
// already locked; logins to a locked account don't count.
func (l *lock) recordLogin(login string, right bool, after int, now time.Time) (locked bool) {
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
	if !t.until.IsZero() { // the lock has expired
		t = tries{}
	}
	if t.wrong++; t.wrong >= after {
		t.until = now.Add(LockTime)
	}
	l.tries[login] = t
	return false
}
