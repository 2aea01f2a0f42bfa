package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/telemetry/redact"
	"github.com/yanmail/yan/queue"
)

// Resting is an account that does not send until a given time.
type Resting struct {
	Account string    `json:"account"`
	Until   time.Time `json:"until"`
	// Here is true if only this process does not use the account, because the fault may be of this
	// machine.
	Here bool `json:"here"`
	// Waiting counts the recipients enqueued for the account.
	Waiting int    `json:"waiting"`
	Stage   string `json:"stage,omitempty"`
	Code    int    `json:"code,omitempty"`
	Class   string `json:"class,omitempty"`
	Error   string `json:"error,omitempty"`
}

// reasonLine returns the reason in one line. It leaves out the text of the server's reply, which may
// contain addresses.
func (r Resting) reasonLine() string {
	var parts []string
	if r.Class != "" {
		parts = append(parts, r.Class)
	}
	if r.Code != 0 {
		parts = append(parts, fmt.Sprintf("%d at %s", r.Code, r.Stage))
	}
	if r.Error != "" {
		parts = append(parts, r.Error)
	}
	if len(parts) == 0 {
		return "no reason was kept"
	}
	return strings.Join(parts, ", ")
}

func (r Resting) logAttributes() []any {
	return []any{slog.String("account", redact.Text(r.Account)), slog.Time("until", r.Until), slog.Bool("here", r.Here), slog.Int("waiting", r.Waiting),
		slog.String("why", r.reasonLine())}
}

const (
	// statsFresh is how old a cached count of the outbox may be when readiness is asked for, and
	// statsTime how long counting may take.
	statsFresh, statsTime = 5 * time.Second, 2 * time.Second
)

// accountStatsCache caches the outbox's counts per account, so that frequent requests do not make the outbox
// count often.
type accountStatsCache struct {
	mu    sync.Mutex
	asked time.Time
	list  []queue.AccountStats
}

func (s *accountStatsCache) get(ctx context.Context, store outbox.Admin, now time.Time) ([]queue.AccountStats, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if age := now.Sub(s.asked); !s.asked.IsZero() && age >= 0 && age < statsFresh {
		return s.list, s.asked, nil
	}
	ctx, cancel := context.WithTimeout(ctx, statsTime)
	defer cancel()
	stats, err := store.Stats(ctx)
	if err != nil {
		return nil, now, err
	}
	s.list, s.asked = stats.Accounts, now
	return s.list, now, nil
}

// restingAccounts lists the accounts that do not send now, by name.
func (d *daemon) restingAccounts(ctx context.Context) ([]Resting, error) {
	accounts, asked, err := d.standing.get(ctx, d.o.Store, d.o.Now())
	if err != nil {
		return nil, err
	}
	list := []Resting{}
	waiting := map[string]int{}
	add := func(account string, until time.Time, here bool, why queue.Answer) {
		r := Resting{Account: account, Until: until.UTC(), Here: here, Waiting: waiting[account], Stage: string(why.Stage), Code: why.Reply.Code, Class: why.Class}
		if why.Err != "" {
			r.Error = redact.Text(why.Err)
		}
		list = append(list, r)
	}
	for _, a := range accounts {
		waiting[a.Account] = a.Count[queue.Queued] + a.Count[queue.Deferred]
		if until := asked.Add(a.PausedFor); a.PausedFor > 0 && until.After(d.o.Now()) {
			add(a.Account, until, false, a.PauseAnswer)
		}
	}
	for _, r := range d.deliver.Status().Rests {
		add(r.Account, r.Until, true, r.Answer)
	}
	slices.SortStableFunc(list, func(a, b Resting) int { return strings.Compare(a.Account, b.Account) })
	return list, nil
}

// blockedAccounts lists the accounts that do not send now and have recipients waiting.
func (d *daemon) blockedAccounts(ctx context.Context) []Resting {
	list, err := d.restingAccounts(ctx)
	if err != nil {
		return nil // isReady reports an outbox that does not work
	}
	return slices.DeleteFunc(list, func(r Resting) bool { return r.Waiting == 0 })
}

// logRestingAccounts logs the accounts that are paused at the start; nothing else would report them.
func (d *daemon) logRestingAccounts(ctx context.Context) {
	list, err := d.restingAccounts(ctx)
	if err != nil {
		return // the delivery reports the error
	}
	for _, r := range list {
		d.o.Log.Warn("account paused", r.logAttributes()...)
	}
}
