package imapclient

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	// maxHits is how many search results are read: a server that returns more
	// does not search but lists.
	maxHits = 50
	// newest is how many of the newest messages are read if the search finds
	// none.
	newest = 100
)

// search looks for a message by its Message-ID in a folder, which it opens
// read-only. found means that the header was read; "not found" requires that
// the server answered every command.
func (c *imapConn) search(f listedFolder, id string) (found bool, err error) {
	c.arrived = time.Time{}
	defer func() { c.seen = searchState{} }()
	if err := c.examine(f); err != nil || c.seen.messages == 0 {
		return false, err
	}
	messages := c.seen.messages
	var doubt error // why the search is not conclusive
	// QUIRK: SEARCH HEADER matches a substring (RFC 9051 section 6.4.4), and
	// some servers' index contains only words, without the <>.
	for _, words := range []string{id, bareID(id)} {
		hits, err := c.searchHits(words)
		if c.lost {
			return false, err
		}
		if err == nil && len(hits) > 0 {
			found, err = c.containsMessage("UID FETCH "+strings.Join(hits, ","), id)
			if err == nil && !found && c.seen.named < len(hits) {
				err = &Error{Stage: StageSearch, Err: errNotShown}
			}
		}
		if found || c.lost {
			return found, err
		}
		if err != nil {
			doubt = err
		}
	}
	return c.searchNewest(messages, id, doubt)
}

// searchNewest reads the newest messages. doubt is the error to return if the message
// is not among them and they are not all; nil means not found.
//
// QUIRK: an index may lag the folder by seconds, or by days if it is broken.
// The searched message is mostly among the newest.
func (c *imapConn) searchNewest(messages int, id string, doubt error) (found bool, err error) {
	first := max(1, messages-newest+1)
	found, err = c.containsMessage(fmt.Sprintf("FETCH %d:%d", first, messages), id)
	switch {
	case found || err != nil:
		return found, err
	case c.seen.headers <= messages-first:
		return false, &Error{Stage: StageSearch, Err: errNotShown}
	case first > 1:
		return false, doubt
	}
	return false, nil
}

var errNotShown = errors.New("it does not show the Message-ID of all messages")

// bareID removes the angle brackets of a Message-ID.
func bareID(id string) string { return strings.TrimSuffix(strings.TrimPrefix(id, "<"), ">") }

// checkID rejects a string that is no Message-ID, because a part of one would
// match others.
func checkID(id string) error {
	switch {
	case bareID(id) == "":
		return errors.New("there is no Message-ID to look for")
	case len(id) > 998 || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return errors.New("what is looked for is no Message-ID")
	}
	return nil
}

// searchState collects the server's responses about the folder and its messages.
type searchState struct {
	messages int         // in the folder; -1 if unknown
	hits     []string    // their UIDs, at most maxHits+1
	ids      []string    // Message-IDs of all messages
	dates    []time.Time // arrival times of the messages in ids; zero if unknown
	headers  int         // messages with a response,
	named    int         // and how many of them have a Message-ID
}

// examine opens the folder with EXAMINE, which changes nothing; SELECT would
// clear \Recent. It is sent for each search, because a server may only then
// show new messages.
func (c *imapConn) examine(f listedFolder) error {
	c.seen = searchState{messages: -1}
	cmd := c.newCommand("EXAMINE")
	if err := cmd.astring(f.wire); err != nil {
		return &Error{Stage: StageSearch, Err: err}
	}
	if err := c.runSearchCommand(cmd); err != nil {
		return err
	}
	if c.seen.messages < 0 {
		c.lost = true
		return &Error{Stage: StageSearch, Err: fmt.Errorf("%w: it does not say how many messages the folder has", ErrMalformed)}
	}
	return nil
}

// searchHits searches for messages whose Message-ID contains these words.
func (c *imapConn) searchHits(words string) ([]string, error) {
	c.seen.hits = nil
	charset := ""
	if strings.ContainsFunc(words, func(r rune) bool { return r >= 0x80 }) {
		charset = "CHARSET UTF-8 "
	}
	cmd := c.newCommand("UID SEARCH " + charset + "HEADER Message-ID")
	if err := cmd.astring(words); err != nil {
		return nil, &Error{Stage: StageSearch, Err: err}
	}
	if err := c.runSearchCommand(cmd); err != nil {
		return nil, err
	}
	if len(c.seen.hits) > maxHits {
		return nil, &Error{Stage: StageSearch, Err: fmt.Errorf("it names more than %d messages that have the same Message-ID", maxHits)}
	}
	return c.seen.hits, nil
}

// originalID is the field with a message's original Message-ID.
//
// QUIRK: Outlook.com and Microsoft 365 replace the Message-ID of sent messages,
// and keep the original here.
const originalID = "X-Microsoft-Original-Message-ID"

// containsMessage fetches the Message-IDs of messages without changing flags, and reports
// whether one matches.
func (c *imapConn) containsMessage(fetch, id string) (bool, error) {
	c.seen.ids, c.seen.dates, c.seen.headers = nil, nil, 0
	if err := c.runSearchCommand(c.newCommand(fetch + " (UID INTERNALDATE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID " + strings.ToUpper(originalID) + ")])")); err != nil {
		return false, err
	}
	found := false
	for i, value := range c.seen.ids {
		if bareID(value) != bareID(id) {
			continue
		}
		found = true
		if c.seen.dates[i].After(c.arrived) {
			c.arrived = c.seen.dates[i]
		}
	}
	return found, nil
}

// runSearchCommand sends a command of a search; its results are in c.seen.
func (c *imapConn) runSearchCommand(cmd *commandBuilder) error {
	reply, err := c.runCommand(cmd)
	c.lost = err != nil || reply.Status == "BYE"
	if err != nil || reply.Status != "OK" {
		return &Error{Stage: StageSearch, Reply: reply, Err: err}
	}
	return nil
}

// handleResponse handles an untagged response of a search. word is its first word, upper
// case.
func (s *searchState) handleResponse(word string, arguments []byte) {
	switch word {
	case "SEARCH":
		for _, number := range strings.Fields(string(arguments)) {
			s.addHit(number)
		}
		return
	case "ESEARCH":
		s.addHits(string(arguments))
		return
	}
	number, err := strconv.Atoi(word)
	if err != nil || number < 0 {
		return
	}
	what, rest, _ := strings.Cut(string(arguments), " ")
	switch strings.ToUpper(what) {
	case "EXISTS":
		s.messages = number
	case "FETCH":
		if header, date, ok := headerIn([]byte(rest)); ok {
			ids := messageIDs(header)
			s.ids = append(s.ids, ids...)
			for range ids {
				s.dates = append(s.dates, parseArrival(date))
			}
			s.headers++
			s.named += min(len(ids), 1)
		}
	}
}

// addHit adds the UID of a message. Anything but a number is ignored, because it
// is used in a command.
func (s *searchState) addHit(number string) {
	uid, err := strconv.ParseUint(number, 10, 32)
	if err == nil && uid > 0 && len(s.hits) <= maxHits {
		s.hits = append(s.hits, strconv.FormatUint(uid, 10))
	}
}

// addHits parses the response of IMAP4rev2: "(TAG "y5") UID ALL 2,10:11" (RFC
// 9051 section 7.3.4).
func (s *searchState) addHits(arguments string) {
	words := strings.Fields(arguments)
	for i, word := range words {
		if !strings.EqualFold(word, "ALL") || i+1 == len(words) {
			continue
		}
		for part := range strings.SplitSeq(words[i+1], ",") {
			s.hitRange(part)
		}
		return
	}
}

func (s *searchState) hitRange(part string) {
	from, to, isRange := strings.Cut(part, ":")
	if !isRange {
		s.addHit(part)
		return
	}
	low, err := strconv.ParseUint(from, 10, 32)
	high, err2 := strconv.ParseUint(to, 10, 32)
	if err != nil || err2 != nil {
		return
	}
	for uid := min(low, high); uid <= max(low, high) && len(s.hits) <= maxHits; uid++ {
		s.addHit(strconv.FormatUint(uid, 10))
	}
}

// headerIn finds the header fields, and the time of arrival, in the arguments
// of FETCH: "(UID 7 INTERNALDATE "…" BODY[HEADER.FIELDS (…)] "…")" (RFC 9051
// section 7.5.2). The literal has been rewritten as a quoted string.
func headerIn(b []byte) (header, date string, ok bool) {
	b, more := bytes.CutPrefix(bytes.TrimLeft(b, " "), []byte("("))
	for more {
		name, rest, inside := cutItem(b)
		if !inside {
			break
		}
		value, after, whole := cutValue(rest)
		if !whole {
			return header, date, ok
		}
		switch name = strings.ToUpper(name); {
		case strings.HasPrefix(name, "BODY[HEADER.FIELDS"):
			header, ok = value, true
		case name == "INTERNALDATE":
			date = value
		}
		b, more = after, len(after) > 0
	}
	return header, date, ok
}

// parseArrival parses a date-time (RFC 9051 section 9), like " 7-Feb-2026 13:05:09
// +0800"; zero if it is invalid.
func parseArrival(date string) time.Time {
	t, err := time.Parse("_2-Jan-2006 15:04:05 -0700", date)
	if err != nil {
		return time.Time{}
	}
	return t
}

// cutItem removes the name of an item, which may contain spaces between
// brackets.
func cutItem(b []byte) (name string, rest []byte, ok bool) {
	b = bytes.TrimLeft(b, " ")
	depth := 0
	for i, c := range b {
		switch {
		case c == '[':
			depth++
		case c == ']':
			depth--
		case c == ' ' && depth <= 0:
			return string(b[:i]), b[i:], true
		}
	}
	return "", nil, false
}

// cutValue removes the value of an item: a string, or a word or list, whose
// value is "".
func cutValue(b []byte) (value string, rest []byte, ok bool) {
	b = bytes.TrimLeft(b, " ")
	if len(b) > 0 && b[0] == '"' {
		return cutString(b)
	}
	depth := 0
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			_, after, ok := cutString(b[i:])
			if !ok {
				return "", nil, false
			}
			i = len(b) - len(after) - 1
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case (c == ' ' || c == ')') && depth == 0:
			return "", b[i:], true
		}
	}
	return "", nil, false
}

// messageIDs returns the Message-IDs in a header, current and original. A
// header should have one, but a second must not be overlooked.
func messageIDs(header string) []string {
	header = strings.NewReplacer("\r\n ", " ", "\r\n\t", " ", "\n ", " ", "\n\t", " ").Replace(header)
	var values []string
	for line := range strings.Lines(header) {
		name, value, ok := strings.Cut(line, ":")
		name = strings.TrimSpace(name)
		if ok && (strings.EqualFold(name, "Message-ID") || strings.EqualFold(name, originalID)) {
			values = append(values, strings.TrimSpace(value))
		}
	}
	return values
}
