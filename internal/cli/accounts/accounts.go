package accounts

import (
	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

// NewAccount returns an account with the inherited settings, except server, user, authentication
// and secret: the defaults may belong to another mailbox.
func NewAccount(f *account.File, name string) account.Account {
	acc := f.New(name)
	acc.Server, acc.User, acc.Auth, acc.IMAP, acc.SentFolder = "", "", "", "", ""
	acc.Secret, acc.OAuth2, acc.AllowCleartextPassword = account.Secret{}, account.OAuth2{}, false
	return acc
}

// LoginName returns the user that logs in to the account's server; "" without a login.
func LoginName(acc account.Account, server transport.Server, address smtp.Address) string {
	switch {
	case acc.NoLogin():
		return ""
	case acc.User != "":
		return acc.User
	case server.User != "":
		return server.User
	case acc.Auth != "" || acc.Secret != account.Secret{} || acc.UsesOAuth2():
		return address.String()
	}
	return ""
}

// ServerOf returns the server of an account; zero if it is not known.
func ServerOf(acc account.Account) transport.Server {
	address, err := acc.Address()
	if err != nil {
		return transport.Server{}
	}
	server, _ := transport.ParseServer(acc.Server, address)
	return server
}
