package imapclient

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// decodeName decodes a folder's name. Names are modified UTF-7 (RFC 3501
// section 5.1.3) or, in IMAP4rev2, UTF-8; any other stays as it is.
func decodeName(wire string) string {
	name, err := decodeUTF7(wire)
	if err != nil {
		return wire
	}
	return name
}

var errNotUTF7 = errors.New("not modified UTF-7")

// base64 of modified UTF-7 has a comma for the slash and no padding.
func utf7Encoding() *base64.Encoding {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,"
	return base64.NewEncoding(letters).WithPadding(base64.NoPadding).Strict()
}

// decodeUTF7 decodes modified UTF-7: UTF-16 in base64 between & and -, &- is an
// ampersand, all other octets are themselves.
func decodeUTF7(s string) (string, error) {
	var out strings.Builder
	for {
		plain, rest, found := strings.Cut(s, "&")
		out.WriteString(plain)
		if !found {
			return out.String(), nil
		}
		coded, after, closed := strings.Cut(rest, "-")
		if !closed {
			return "", errNotUTF7
		}
		s = after
		if coded == "" {
			out.WriteByte('&')
			continue
		}
		octets, err := utf7Encoding().DecodeString(coded)
		if err != nil || len(octets)%2 != 0 {
			return "", errNotUTF7
		}
		units := make([]uint16, len(octets)/2)
		for i := range units {
			units[i] = binary.BigEndian.Uint16(octets[2*i:])
		}
		for _, r := range utf16.Decode(units) {
			if r == utf8.RuneError {
				return "", errNotUTF7
			}
			out.WriteRune(r)
		}
	}
}
