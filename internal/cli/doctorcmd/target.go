package doctorcmd

import (
	"cmp"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
)

// doctorTarget is the target of an exam: a configured account, or a temporary one
// for a host.
type doctorTarget struct {
	account.Account
	configured bool
	anyPort    bool
}

// resolveTarget resolves the argument: first as an account, then as a provider, then
// as a host.
func (a *doctorCommand) resolveTarget(arg string, d *doctorFlags) (doctorTarget, error) {
	if strings.Contains(arg, "://") {
		return a.atURL(arg, d)
	}
	f, err := a.Configuration()
	if err != nil {
		return doctorTarget{}, err
	}
	if acc, ok := f.Account(arg); ok && arg != "" {
		return doctorTarget{Account: acc, configured: true}, nil
	}
	var address smtp.Address
	if strings.Contains(arg, "@") {
		if address, err = smtp.ParseAddress(arg); err != nil {
			return doctorTarget{}, a.Wrongf("%q: want an account, a host, host:port, URL, provider or address", arg)
		}
	}
	if arg == "" || !address.IsZero() {
		acc, err := f.Choose("", address)
		switch {
		case err == nil && arg == "":
			return doctorTarget{Account: acc, configured: true}, nil
		case err == nil && acc.Serves(address):
			return doctorTarget{Account: sendingAs(acc, address.String()), configured: true}, nil
		case arg == "":
			return doctorTarget{}, a.noAccount(err)
		}
		return a.atAddress(address, d)
	}
	if p, ok := provider.Lookup(arg); ok && !strings.Contains(arg, ":") {
		return doctorTarget{Account: account.Account{Server: p.ID, From: d.from}}, nil
	}
	return a.atHost(arg, f, d)
}

// noAccount returns the error for a missing or ambiguous account.
func (a *doctorCommand) noAccount(err error) error {
	var several *account.AmbiguousError
	if errors.As(err, &several) {
		return command.Fail(command.ExitConfig, errors.New(a.T("there are several accounts and no default: %s", a.Listed(several.Names))),
			a.T("Choose one: %s", "yan doctor "+several.Names[0]))
	}
	return command.Fail(command.ExitConfig, errors.New(a.T("there are no accounts yet")),
		a.T("Run 'yan login' to create one, or 'yan doctor HOST' to check a server without one."))
}

func (a *doctorCommand) atURL(server string, d *doctorFlags) (doctorTarget, error) {
	if err := a.CheckServer(server); err != nil {
		return doctorTarget{}, err
	}
	p := doctorTarget{Account: account.Account{Server: server, From: d.from}}
	u, err := url.Parse(server)
	if err == nil && p.From == "" && strings.Contains(u.User.Username(), "@") {
		p.From = u.User.Username()
	}
	return p, nil
}

// atAddress returns the target for an address without an account.
func (a *doctorCommand) atAddress(address smtp.Address, d *doctorFlags) (doctorTarget, error) {
	p, ok := provider.ByDomain(address.ASCIIDomain())
	if !ok {
		return doctorTarget{}, command.Fail(command.ExitUsage, errors.New(a.T("no known server for %s", address)),
			a.T("Specify it: %s", "yan doctor smtp."+address.ASCIIDomain()+" -f "+address.String()))
	}
	return doctorTarget{Account: account.Account{Server: p.ID, From: cmp.Or(d.from, address.String())}}, nil
}

// atHost returns the target for an unknown host: its port decides about the
// encryption, or is found out.
func (a *doctorCommand) atHost(arg string, f *account.File, d *doctorFlags) (doctorTarget, error) {
	host, port, err := net.SplitHostPort(arg)
	if err != nil {
		host, port = strings.Trim(arg, "[]"), ""
	}
	if !strings.ContainsAny(host, ".:") && port == "" && host != "localhost" {
		return doctorTarget{}, a.unknownPatient(arg, f)
	}
	scheme := "smtps"
	switch port {
	case "25", "587", "2525":
		scheme = "smtp"
	}
	at := host
	if strings.Contains(host, ":") {
		at = "[" + host + "]"
	}
	p := doctorTarget{Account: account.Account{Server: scheme + "://" + at, From: d.from}, anyPort: port == ""}
	if port != "" {
		p.Server += ":" + port
	}
	return p, a.checkHost(arg, p.Server)
}

func (a *doctorCommand) checkHost(arg, server string) error {
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" || strings.ContainsFunc(u.Hostname(), func(r rune) bool { return r <= ' ' || r == '/' || r == '%' }) {
		return a.Wrongf("%q: want an account, a host, host:port, URL, provider or address", arg)
	}
	if n, err := strconv.Atoi(u.Port()); u.Port() != "" && (err != nil || n < 1 || n > 65535) {
		return a.Wrongf("%q: want a port from 1 to 65535", arg)
	}
	return nil
}

func (a *doctorCommand) unknownPatient(arg string, f *account.File) error {
	var names []string
	for _, acc := range f.Accounts() {
		names = append(names, acc.Name)
	}
	near := provider.Nearest(arg)
	if name := command.NearestWord(arg, names); name != "" {
		near = append([]string{name}, near...)
	}
	hint := a.T("'yan providers' lists the known providers; write a host with its domain, like smtp.example.com.")
	if len(near) > 0 {
		hint = a.T("Did you mean %s?", a.Listed(near))
	}
	return command.Fail(command.ExitUsage, errors.New(a.T("%q is neither an account nor a known provider", arg)), hint)
}
