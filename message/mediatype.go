package message

import (
	"maps"
	"mime"
	"path"
	"slices"
	"strings"

	"github.com/yanmail/yan/internal/localerr"
)

// mediaType is a checked content type.
type mediaType struct {
	full   string
	params map[string]string
}

// parseMediaType parses the content type of an attachment.
func parseMediaType(s string) (mediaType, error) {
	if err := checkText(s, false); err != nil {
		return mediaType{}, err
	}
	full, params, err := mime.ParseMediaType(s)
	if err != nil {
		return mediaType{}, localerr.Errorf("%q is not a media type: %w", s, err)
	}
	main, sub, ok := strings.Cut(full, "/")
	if !ok || main == "" || sub == "" || len(full) >= foldAt {
		return mediaType{}, localerr.Errorf("%q is not a media type like application/pdf", s)
	}
	if main == "multipart" || main == "message" && full != savedMessageType {
		return mediaType{}, localerr.Errorf("%s can't be encoded as base64 (RFC 2046 section 5.2.1); use application/octet-stream", full)
	}
	for key, value := range params {
		if err := checkText(value, false); err != nil {
			return mediaType{}, localerr.Errorf("its parameter %s %w", key, err)
		}
		if len(key) > foldAt/2 {
			return mediaType{}, localerr.Errorf("the name of its parameter %s is too long", key)
		}
	}
	delete(params, "name") // the file name is used instead
	return mediaType{full, params}, nil
}

// appendField appends the Content-Type of an attachment with this file name.
func (m mediaType) appendField(f *folder, fileName string) {
	var params [][]string
	for _, key := range slices.Sorted(maps.Keys(m.params)) {
		if plain, ok := formatParameter(key, m.params[key]); ok {
			params = append(params, plain)
		} else {
			params = append(params, extendedParameter(key, m.params[key])...)
		}
	}
	if fileName != "" {
		words, ok := wholeName("name", fileName)
		if !ok {
			words = encodedName(fileName)
		}
		params = append(params, words)
	}
	f.fieldWithParameters("Content-Type", m.full, params)
}

// octetStream is the type of unknown data.
const octetStream = "application/octet-stream"

// TypeByName returns the media type of an attachment by its name's extension, without a charset;
// "" if the extension is unknown.
func TypeByName(name string) string { return mediaTypeByName(name).full }

// mediaTypeByName returns the type by the extension of a file name; full is "" if it is unknown.
// The table is our own and not the machine's, so that a message is the same on every machine.
func mediaTypeByName(name string) mediaType {
	return mediaType{full: typeOfExtension(strings.ToLower(path.Ext(name)))}
}
