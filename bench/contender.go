package main

import (
	"context"
	"fmt"
)

// contender is a way to send mail from Go. Each is used as its documentation
// shows, with the settings that make it fastest.
type contender interface {
	// name in the table, with the version where it has one.
	name() string
	// open makes a session on one connection to host:port, in the clear and
	// without a login. The caller closes it.
	open(ctx context.Context, address string, all bool) (session, error)
	// honours reports whether the contender can be told what becomes of a
	// message when one of its recipients is refused. One that can't is
	// measured once, and the figure stands in both rows.
	honours() bool
}

// session is a connection that serves one message after the other.
type session interface {
	send(ctx context.Context, m mail) error
	close() error
}

// mail is what each contender is given: it composes the message itself.
type mail struct {
	from       string
	to         []string
	subject    string
	text       string
	attachment string // path of a file; "" for none
}

func contenders() []contender { return []contender{yanContender{}, goMail{}, netSMTP{}} }

func contenderNamed(name string) (contender, error) {
	for _, c := range contenders() {
		if c.name() == name {
			return c, nil
		}
	}
	return nil, fmt.Errorf("no contender is called %q", name)
}
