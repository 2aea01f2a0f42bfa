package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// outboxHome is the place of an outbox. An empty part is not known, and fits any other.
type outboxHome struct {
	// Machine is a hash of the machine's identifier, which must not be disclosed
	// (machine-id(5)).
	Machine string `json:"machine,omitempty"`
	// File is the number of the file and its creation time: a copy has others, and a renamed
	// file keeps them. The device is not part of it, because its number may change with each
	// start of the machine.
	File string `json:"file,omitempty"`
}

func (h outboxHome) fitsHome(other outboxHome) bool {
	same := func(a, b string) bool { return a == "" || b == "" || a == b }
	return same(h.Machine, other.Machine) && same(h.File, other.File)
}

// currentHome returns the home of the file at a path.
func currentHome(path string) outboxHome {
	h := outboxHome{File: fileIdentity(path)}
	if id := strings.TrimSpace(machineID()); id != "" && id != "uninitialized" {
		sum := sha256.Sum256([]byte("yan outbox " + id))
		h.Machine = hex.EncodeToString(sum[:8])
	}
	return h
}

const insertHome = "INSERT INTO fact (name, value) VALUES ('home', ?) ON CONFLICT DO "

// recordHome records this place as the home of the outbox.
func (s *sqliteStore) recordHome(c interface {
	exec(string, ...any) (int64, error)
}, how string) error {
	encoded, err := json.Marshal(s.harness.here(s.path))
	if err == nil {
		_, err = c.exec(insertHome+how, string(encoded))
	}
	return err
}

// isCopy reports whether the outbox was created or adopted in another place.
func (s *sqliteStore) isCopy(c *dbConn) (copied bool, err error) {
	err = c.query(context.Background(), func(r resultRow) error {
		var h outboxHome
		if err := json.Unmarshal([]byte(r.text(0)), &h); err != nil {
			return err
		}
		copied = !h.fitsHome(s.harness.here(s.path))
		return nil
	}, "SELECT value FROM fact WHERE name = 'home'")
	return copied, err
}

// Adopt makes a copy an outbox of its own.
func (s *sqliteStore) Adopt(ctx context.Context, moved bool) (adopted outbox.Adopted, err error) {
	if err := s.checkUsable(ctx); err != nil {
		return adopted, err
	}
	ctx = context.WithoutCancel(ctx)
	for more := true; more; {
		var part outbox.Adopted
		err = s.writeTx(ctx, func(t *txn) (err error) {
			part, more = outbox.Adopted{}, false
			if part.Was, err = s.isCopy(t.dbConn); err != nil || !part.Was {
				return err
			}
			if more, err = t.adoptSome(moved, &part.Doubted); err != nil || more {
				return err
			}
			// Nothing is delivered from a copy: the workers recorded here belong to the
			// original.
			for _, sql := range []string{"DELETE FROM slot", "DELETE FROM worker"} {
				if _, err := t.exec(sql); err != nil {
					return err
				}
			}
			return s.recordHome(t, "UPDATE SET value = excluded.value")
		})
		if err != nil {
			return adopted, err
		}
		adopted.Was = adopted.Was || part.Was
		adopted.Doubted += part.Doubted
	}
	return adopted, nil
}

// adoptSome ends the states of a copy that the original may have changed, up to sweptTogether
// recipients at a time.
func (t *txn) adoptSome(moved bool, doubted *int) (more bool, err error) {
	var open []deliveryRow
	// Recipients in doubt are excluded by their state, and final ones by the index.
	const wanted = "state IN ('queued', 'deferred', 'leased', 'sending', 'held')"
	err = t.queryRows(func(r resultRow) error { open = append(open, scanRecipient(r)); return nil },
		"SELECT "+recipientColumns+" FROM delivery WHERE "+wanted+" AND (?1 = 0 OR owner IS NOT NULL) LIMIT ?2", moved, sweptTogether)
	if err != nil {
		return false, err
	}
	for _, d := range open {
		from, kind := d.state, queue.EventKind(queue.InDoubt)
		d.state = queue.InDoubt
		if moved && from == queue.Leased {
			d.state, kind = queue.Queued, queue.EventLapsed
		} else {
			*doubted++
		}
		if err := t.moveRecipient(&d, from); err != nil {
			return false, err
		}
		if err := t.addEvent(newEvent{recipient: d.id, account: d.account, kind: kind, state: d.state}); err != nil {
			return false, err
		}
	}
	return len(open) == sweptTogether, nil
}

// newestTime returns the time of the newest event or message.
func newestTime(c *dbConn) (at int64, err error) {
	var times []int64
	for _, sql := range []string{"SELECT at FROM event WHERE id = (SELECT max(id) FROM event)", "SELECT created FROM message WHERE id = (SELECT max(id) FROM message)"} {
		n, _, err := c.queryNumber(sql)
		if err != nil {
			return 0, err
		}
		times = append(times, n)
	}
	return slices.Max(times), nil
}
