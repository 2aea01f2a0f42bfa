package durability

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/testing/faultproxy"
	"github.com/yanmail/yan/smtp"
)

// Letter is a message identified by its name: k3n17r2o2000 is number 17 of series k3, with two
// recipients and 2000 octets.
type Letter string

// NewLetter returns a letter. The series consists of letters and digits other than n.
func NewLetter(series string, number, recipients int, octets int64) Letter {
	return Letter(fmt.Sprintf("%sn%dr%do%d", series, number, recipients, octets))
}

// LetterOf returns the letter with a Message-ID.
func LetterOf(messageID string) Letter {
	return Letter(strings.TrimSuffix(strings.TrimPrefix(messageID, "<"), ">"))
}

// parts returns the numbers in a name; ok is false for other names.
func (l Letter) parts() (recipients int, octets int64, ok bool) {
	_, rest, found := strings.Cut(string(l), "n")
	_, rest, cut := strings.Cut(rest, "r")
	before, after, both := strings.Cut(rest, "o")
	recipients, err := strconv.Atoi(before)
	octets, err2 := strconv.ParseInt(after, 10, 64)
	return recipients, octets, found && cut && both && err == nil && err2 == nil
}

// Content returns the letter's content.
func (l Letter) Content() faultproxy.NamedMessage {
	_, octets, _ := l.parts()
	return faultproxy.NamedMessage{Name: string(l), Octets: octets}
}

// To returns the letter's recipients.
func (l Letter) To() []string {
	n, _, _ := l.parts()
	to := make([]string, n)
	for i := range to {
		to[i] = fmt.Sprintf("r%d.%s@example.com", i, l)
	}
	return to
}

// New returns the letter as a message to enqueue.
func (l Letter) New() (outbox.NewMessage, error) {
	from, err := smtp.ParseAddress("me@example.org")
	if err != nil {
		return outbox.NewMessage{}, err
	}
	var to []smtp.Address
	for _, address := range l.To() {
		a, err := smtp.ParseAddress(address)
		if err != nil {
			return outbox.NewMessage{}, err
		}
		to = append(to, a)
	}
	envelope, err := smtp.NewEnvelope(from, to...)
	if err != nil {
		return outbox.NewMessage{}, err
	}
	return outbox.NewMessage{Envelope: envelope, MessageID: "<" + string(l) + ">", Subject: "survival", Content: l.Content()}, nil
}

// IsWholeLetter reports whether data is the complete letter of this name. It is for faultproxy.NewLedger.
func IsWholeLetter(name string, data []byte) bool {
	_, _, ok := Letter(name).parts()
	return ok && Letter(name).Content().Whole(data)
}
