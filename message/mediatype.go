package message

import (
	"maps"
	"mime"
	"path"
	"slices"
	"strings"

	"github.com/yanmail/yan/internal/sentence"
)

// mediaType is a checked content type.
type mediaType struct {
	full   string
	params map[string]string
}

// parseMediaType reads a content type for an attachment.
func parseMediaType(s string) (mediaType, error) {
	if err := checkText(s, false); err != nil {
		return mediaType{}, err
	}
	full, params, err := mime.ParseMediaType(s)
	if err != nil {
		return mediaType{}, sentence.Errorf("%q is not a media type: %w", s, err)
	}
	main, sub, ok := strings.Cut(full, "/")
	if !ok || main == "" || sub == "" || len(full) >= foldAt {
		return mediaType{}, sentence.Errorf("%q is not a media type like application/pdf", s)
	}
	if main == "multipart" || main == "message" {
		return mediaType{}, sentence.Errorf("%s can't be base64 (RFC 2046 section 5.2.1); use application/octet-stream", full)
	}
	for key, value := range params {
		if err := checkText(value, false); err != nil {
			return mediaType{}, sentence.Errorf("its parameter %s %w", key, err)
		}
		if len(key) > foldAt/2 {
			return mediaType{}, sentence.Errorf("the name of its parameter %s is too long", key)
		}
	}
	delete(params, "name") // the file name says it
	return mediaType{full, params}, nil
}

// field appends the Content-Type of an attachment with this file name.
func (m mediaType) field(f *folder, fileName string) {
	var params [][]string
	for _, key := range slices.Sorted(maps.Keys(m.params)) {
		if plain, ok := parameter(key, m.params[key]); ok {
			params = append(params, plain)
		} else {
			params = append(params, extended(key, m.params[key])...)
		}
	}
	if fileName != "" {
		words, ok := parameter("name", fileName)
		if !ok {
			words = twin("name", fileName)
		}
		params = append(params, words)
	}
	f.parameterized("Content-Type", m.full, params)
}

// mediaTypeByName goes by the extension of a file name. The list is our own
// rather than the machine's, so that a message is the same wherever it is made.
func mediaTypeByName(name string) mediaType {
	return mediaType{full: typeOfExtension(strings.ToLower(path.Ext(name)))}
}

func typeOfExtension(ext string) string {
	switch ext {
	case ".pdf":
		return "application/pdf"
	case ".zip":
		return "application/zip"
	case ".gz", ".tgz":
		return "application/gzip"
	case ".7z":
		return "application/x-7z-compressed"
	case ".rar":
		return "application/vnd.rar"
	case ".json":
		return "application/json"
	case ".xml":
		return "application/xml"
	case ".doc":
		return "application/msword"
	case ".docx":
		return "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	case ".xls":
		return "application/vnd.ms-excel"
	case ".xlsx":
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	case ".ppt":
		return "application/vnd.ms-powerpoint"
	case ".pptx":
		return "application/vnd.openxmlformats-officedocument.presentationml.presentation"
	case ".txt", ".log":
		return "text/plain"
	case ".csv":
		return "text/csv"
	case ".html", ".htm":
		return "text/html"
	case ".css":
		return "text/css"
	case ".md":
		return "text/markdown"
	case ".ics":
		return "text/calendar"
	case ".vcf":
		return "text/vcard"
	case ".png":
		return "image/png"
	case ".jpg", ".jpeg":
		return "image/jpeg"
	case ".gif":
		return "image/gif"
	case ".webp":
		return "image/webp"
	case ".svg":
		return "image/svg+xml"
	case ".bmp":
		return "image/bmp"
	case ".mp3":
		return "audio/mpeg"
	case ".wav":
		return "audio/wav"
	case ".mp4":
		return "video/mp4"
	case ".mov":
		return "video/quicktime"
	}
	return "application/octet-stream"
}
