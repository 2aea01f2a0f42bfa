package discover

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/encoding/htmlindex"

	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
)

// config contains the usable parts of a configuration.
type config struct {
	servers []submissionServer // for submission, in its order
	imap    endpoint           // zero if there is none
	refused []rejectedServer
}

// rejectedServer is a server of a configuration that is not tried, and the reason.
type rejectedServer struct {
	what string
	err  error
}

// clientConfig is Mozilla's format, version 1.1. Of a repeated element the
// first value that is understood counts: the format is extended that way.
type clientConfig struct {
	XMLName  xml.Name        `xml:"clientConfig"`
	Incoming []serverElement `xml:"emailProvider>incomingServer"`
	Outgoing []serverElement `xml:"emailProvider>outgoingServer"`
}

type serverElement struct {
	Type           string   `xml:"type,attr"`
	Hostname       string   `xml:"hostname"`
	Port           string   `xml:"port"`
	SocketType     []string `xml:"socketType"`
	Username       string   `xml:"username"`
	Authentication []string `xml:"authentication"`
}

// parseConfig parses a configuration for an address. It returns an error if the
// text can't be parsed, or contains no submission server, usable or not.
func parseConfig(text []byte, address smtp.Address) (config, error) {
	decoder := xml.NewDecoder(bytes.NewReader(text))
	decoder.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) {
		encoding, err := htmlindex.Get(charset)
		if err != nil {
			return nil, fmt.Errorf("charset %q: %w", charset, err)
		}
		return encoding.NewDecoder().Reader(in), nil
	}
	var file clientConfig
	if err := decoder.Decode(&file); err != nil {
		return config{}, fmt.Errorf("not a mail configuration: %w", err)
	}
	var c config
	for _, e := range file.Outgoing {
		if !strings.EqualFold(strings.TrimSpace(e.Type), "smtp") {
			continue
		}
		one, err := e.server(address)
		if err == nil && len(c.servers) == maxServers {
			err = fmt.Errorf("more than %d servers", maxServers)
		}
		if err != nil {
			c.refused = append(c.refused, rejectedServer{e.what(), err})
			continue
		}
		c.servers = append(c.servers, one)
	}
	if len(c.servers) == 0 && len(c.refused) == 0 {
		return config{}, errors.New("the configuration has no SMTP server")
	}
	for _, e := range file.Incoming {
		one, err := e.server(address)
		if err == nil && strings.EqualFold(strings.TrimSpace(e.Type), "imap") {
			c.imap = one.endpoint
			break
		}
	}
	return c, nil
}

// what returns the server's name for an Attempt, cleaned for display.
func (e serverElement) what() string {
	return cleanText(e.Hostname) + ":" + cleanText(e.Port)
}

// cleanText shortens a foreign text and removes control characters.
func cleanText(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	if len(s) > 100 {
		s = strings.ToValidUTF8(s[:100], "") + "…"
	}
	return strings.TrimSpace(s)
}

func (e serverElement) server(address smtp.Address) (submissionServer, error) {
	host, err := hostName(strings.ReplaceAll(e.Hostname, "%EMAILDOMAIN%", address.ASCIIDomain()))
	if err != nil {
		return submissionServer{}, err
	}
	port, err := strconv.ParseUint(strings.TrimSpace(e.Port), 10, 16)
	if err != nil || port == 0 {
		return submissionServer{}, errors.New("the port is not a number from 1 to 65535")
	}
	mode, err := tlsMode(e.SocketType)
	if err != nil {
		return submissionServer{}, err
	}
	password, oauth2 := e.logins()
	if !password && !oauth2 {
		return submissionServer{}, fmt.Errorf("no login but by %s", cleanText(strings.Join(e.Authentication, ", ")))
	}
	user, err := userName(e.Username, address)
	if err != nil {
		return submissionServer{}, err
	}
	return submissionServer{endpoint: endpoint{host, int(port), mode}, user: user, oauth2: !password}, nil
}

func tlsMode(words []string) (provider.TLSMode, error) {
	for _, word := range words {
		switch strings.ToLower(strings.TrimSpace(word)) {
		case "ssl":
			return provider.Implicit, nil
		case "starttls":
			return provider.StartTLS, nil
		case "plain":
			return "", errors.New("the server is not encrypted")
		}
	}
	return "", errors.New("the encryption is not known")
}

// logins reports whether a login with a password exists, and one by OAuth 2.0.
// Without any statement the password is assumed.
func (e serverElement) logins() (password, oauth2 bool) {
	for _, word := range e.Authentication {
		switch strings.ToLower(strings.TrimSpace(word)) {
		case "password-cleartext", "password-encrypted", "plain", "secure":
			password = true
		case "oauth2":
			oauth2 = true
		}
	}
	return password || len(e.Authentication) == 0, oauth2
}

// placeholder matches a variable that the user must fill in.
var placeholder = regexp.MustCompile(`%[A-Z]+%`)

// userName fills in the address. It returns "" for a name with any other
// placeholder, which only the user knows.
func userName(pattern string, address smtp.Address) (string, error) {
	pattern = strings.TrimSpace(pattern)
	hidden := func(r rune) bool { return !unicode.IsPrint(r) } // controls, direction marks, zero-width characters
	if strings.ContainsFunc(pattern, hidden) || len(pattern) > 255 {
		return "", errors.New("the user name is longer than 255 octets or holds what can't be seen")
	}
	known := true
	name := placeholder.ReplaceAllStringFunc(pattern, func(word string) string {
		switch word {
		case "%EMAILADDRESS%":
			return address.String()
		case "%EMAILLOCALPART%":
			return address.Local()
		case "%EMAILDOMAIN%":
			return address.Domain()
		}
		known = false
		return ""
	})
	if !known {
		return "", nil
	}
	return name, nil
}
