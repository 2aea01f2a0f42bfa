package admission

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/smtp"
)

// Transaction is a message being handed over. It is not safe for concurrent use.
type Transaction struct {
	a      *Admission
	policy Policy // as it was at the beginning
	peer   Peer
	grant  Grant

	given    string // the sender as the client gave it
	from     smtp.Address
	dsn      smtp.DSN
	to       []smtp.Address
	seen     map[string]bool // those in to
	key      string          // of SetKey
	received string
}

// Begin checks the envelope's sender: as in MAIL FROM:<…>, with "" for the null sender, and a local
// name with or without a domain of this machine. size is the size that the client announced, 0 if it
// announced none. The error is a *Refusal.
func (a *Admission) Begin(p Peer, from string, d smtp.DSN, size int64) (*Transaction, error) {
	policy := a.o.Policy()
	g, err := policy.Grant(p)
	if err != nil {
		return nil, err
	}
	g = g.forSender(from)
	t := &Transaction{a: a, policy: policy, peer: p, grant: g, given: from, dsn: d, seen: map[string]bool{}}
	if size > g.Size() {
		return nil, t.tooLarge()
	}
	if err := t.checkDSN(); err != nil {
		return nil, err
	}
	if t.from, err = t.sender(from); err != nil {
		return nil, err
	}
	return t, nil
}

// sender returns the envelope's sender.
func (t *Transaction) sender(from string) (smtp.Address, error) {
	if from == "" {
		return smtp.Address{}, nil
	}
	address, err := smtp.ParseAddress(from)
	if err == nil && t.grant.MaySend(address) {
		return address, t.checkUTF8(address)
	}
	if t.grant.Foreign == Refuse {
		return smtp.Address{}, t.foreign(from)
	}
	if t.grant.Mailbox.Address.IsZero() {
		return smtp.Address{}, NewRefusal("account", 451, "4.3.5", localerr.Errorf("account %q has no sender address", t.grant.Account), localerr.New("add from to the account in the configuration"))
	}
	return t.grant.Mailbox.Address, nil
}

// foreign is the refusal of a sender that the peer may not use.
func (t *Transaction) foreign(sender string) *Refusal {
	return NewRefusal("sender", 550, "5.7.1", localerr.Errorf("%s may not send as %q", t.peer, sender),
		localerr.Errorf("it may send as %s", t.grant.senders()))
}

func (t *Transaction) tooLarge() *Refusal {
	return NewRefusal("size", 552, "5.3.4", localerr.Errorf("the message is larger than %d octets", t.grant.Size()),
		localerr.New("send a link in place of the attachment, or several messages"))
}

// checkUTF8 refuses an address with UTF-8 before the @ if the account's provider does not take it.
func (t *Transaction) checkUTF8(a smtp.Address) error {
	if !a.NeedsSMTPUTF8() || t.grant.SMTPUTF8 {
		return nil
	}
	return t.noUTF8(a.String())
}

func (t *Transaction) noUTF8(address string) *Refusal {
	return NewRefusal("smtputf8", 550, "5.6.7", localerr.Errorf("%q has letters other than ASCII before the @, which the provider of account %q does not take", address, t.grant.Account),
		localerr.New("use another address of this person, or an account whose provider supports SMTPUTF8"))
}

// Recipient adds a recipient: an address, or a local name with or without a domain of this machine,
// which may stand for several. notify is the NOTIFY parameter of RCPT (RFC 3461), "" for none; those of
// several recipients are joined. The error is a *Refusal; the transaction goes on without the recipient.
func (t *Transaction) Recipient(to string, notify string) error {
	list, err := t.addresses(to)
	if err != nil {
		return err
	}
	for _, address := range list {
		if err := t.checkUTF8(address); err != nil {
			return err
		}
	}
	list = slices.DeleteFunc(slices.Clone(list), func(a smtp.Address) bool { return t.seen[a.Wire()] })
	if most := t.grant.Recipients(); len(list) > most { // in no message
		return NewRefusal("count", 550, "5.5.3", localerr.Errorf("%q stands for %d recipients; a message of %s may have at most %d", to, len(list), t.peer, most), nil)
	} else if len(t.to)+len(list) > most {
		return NewRefusal("count", 452, "4.5.3", localerr.Errorf("a message of %s may have at most %d recipients", t.peer, most),
			localerr.New("send the rest in another message"))
	}
	if err := t.checkRate(len(t.to) + len(list)); err != nil {
		return err
	}
	if err := t.addNotify(notify); err != nil {
		return err
	}
	t.to = append(t.to, list...)
	for _, address := range list {
		t.seen[address.Wire()] = true
	}
	return nil
}

// addresses returns what a recipient stands for.
func (t *Transaction) addresses(to string) ([]smtp.Address, error) {
	at := strings.LastIndexByte(to, '@')
	if to != "" && (at < 0 || t.policy.IsLocalDomain(to[at+1:])) {
		name := to
		if at >= 0 {
			name = to[:at]
		}
		return t.policy.Local(strings.Trim(name, `"`))
	}
	address, err := smtp.ParseAddress(to)
	if err != nil {
		return nil, NewRefusal("recipient", 553, "5.1.3", err, nil)
	}
	return []smtp.Address{address}, nil
}

// loadTime limits how long a recipient waits for the outbox when the rate of its peer is first needed.
const loadTime = 30 * time.Second

func (t *Transaction) checkRate(recipients int) error {
	if t.grant.PerHour <= 0 {
		return nil
	}
	if recipients > t.grant.PerHour {
		return NewRefusal("rate", 550, "5.5.3", localerr.Errorf("the message has more recipients than %s may send to in an hour, %d", t.peer, t.grant.PerHour),
			localerr.New("raise per_hour, or divide the message"))
	}
	ctx, cancel := context.WithTimeout(context.Background(), loadTime)
	defer cancel()
	wait, err := t.a.rates.check(ctx, t.peer.Tag(), t.grant.PerHour, recipients, t.a.o.Now())
	if err == nil && wait > 0 {
		return t.tooMany(wait)
	}
	return err
}

func (t *Transaction) tooMany(wait time.Duration) *Refusal {
	return NewRefusal("rate", 450, "4.7.1", localerr.Errorf("%s may send to %d recipients an hour", t.peer, t.grant.PerHour),
		localerr.Errorf("try again in %d min", int((wait+time.Minute-1)/time.Minute)))
}

// addNotify joins the NOTIFY of a recipient to those of the others, as an Envelope has one for all.
func (t *Transaction) addNotify(notify string) error {
	if notify == "" {
		return nil
	}
	saved := t.dsn
	words := slices.Clone(saved.Notify)
	for word := range strings.SplitSeq(strings.ToUpper(notify), ",") {
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	if len(words) > 1 { // NEVER of one recipient can't be said for it alone
		words = slices.DeleteFunc(words, func(word string) bool { return word == "NEVER" })
	}
	t.dsn.Notify = words
	err := t.checkDSN()
	if err != nil {
		t.dsn = saved
	}
	return err
}

func (t *Transaction) checkDSN() error {
	if _, err := (smtp.Envelope{}).WithDSN(t.dsn); err != nil {
		return NewRefusal("notify", 501, "5.5.4", err, nil)
	}
	return nil
}

func (t *Transaction) envelope(from smtp.Address, to ...smtp.Address) (smtp.Envelope, error) {
	e, err := smtp.NewEnvelope(from, to...)
	if err != nil || t.dsn.IsZero() {
		return e, err
	}
	return e.WithDSN(t.dsn)
}

// SetKey sets the key of the message, as its field Yan-Key does, which counts first: a second message
// of the same peer with this key is the first one. "" derives a key from the message.
func (t *Transaction) SetKey(key string) { t.key = key }

// SetReceived sets the value of a Received field on top of the message; "" for none. It is no part of what
// makes two messages the same.
func (t *Transaction) SetReceived(value string) { t.received = value }
