package message

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/yanmail/yan/internal/text/excerpt"

	"github.com/yanmail/yan/internal/localerr"
)

func (d *draft) parseAttachments() (inline, attached []*entity, err error) {
	if len(d.message.Attachments) == 0 {
		return nil, nil, nil
	}
	ids := map[string]int{}
	for i, a := range d.message.Attachments {
		name := toNFC(decodedName(a.fileName()))
		label := fmt.Sprintf("attachments[%d] %q", i, excerpt.Runes(name, maxQuoted))
		e, id, err := d.attachmentEntity(label, name, a)
		if err != nil {
			return nil, nil, err
		}
		if first, twice := ids[id]; twice && id != "" {
			return nil, nil, localerr.Errorf("%s: content ID %q is also that of attachments[%d]", label, id, first)
		}
		ids[id] = i
		if a.Inline {
			inline = append(inline, e)
		} else {
			attached = append(attached, e)
		}
	}
	return inline, attached, nil
}

func (a Attachment) fileName() string {
	if a.Name == "" && a.Path != "" {
		return filepath.Base(a.Path)
	}
	return a.Name
}

// attachmentEntity checks and opens an attachment; its errors begin with label.
func (d *draft) attachmentEntity(label, name string, a Attachment) (*entity, string, error) {
	fail := func(err error) (*entity, string, error) { return nil, "", localerr.Errorf("%s: %w", label, err) }
	if err := checkSources(a); err != nil {
		return fail(err)
	}
	id, err := d.contentID(a, name)
	if err != nil {
		return fail(err)
	}
	if err := checkFileName(name); err != nil && (name != "" || id == "") {
		return fail(localerr.Errorf("its name %w", err))
	}
	kind := mediaTypeByName(name)
	if a.ContentType != "" {
		if kind, err = parseMediaType(a.ContentType); err != nil {
			return fail(localerr.Errorf("content type %w", err))
		}
	}
	src, err := openAttachment(label, a)
	if err != nil {
		return nil, "", err
	}
	d.sources.list = append(d.sources.list, src)
	e := &entity{source: src}
	if kind.full == savedMessageType {
		if e.saved, err = openSaved(src); err != nil {
			return nil, "", err
		}
		if e.saved == nil {
			kind = mediaType{full: octetStream}
		}
	}
	if e.saved == nil {
		if err := d.composer.encodeSource(src); err != nil {
			return nil, "", err
		}
		if kind, err = lookInto(src, kind, a.ContentType != ""); err != nil {
			return nil, "", err
		}
	}
	e.header = attachmentHeader(kind, name, id, a.Inline)
	if e.saved != nil && e.saved.eightBit {
		e.encodedHeader = attachmentHeader(mediaType{full: octetStream}, name, id, a.Inline)
		d.savedEightBit = true
	}
	return e, id, nil
}

func attachmentHeader(kind mediaType, name, id string, inline bool) []byte {
	var f folder
	kind.appendField(&f, name)
	disposition := "attachment"
	if inline {
		disposition = "inline"
	}
	var params [][]string
	if name != "" {
		params = fileNameParameters(name)
	}
	f.fieldWithParameters("Content-Disposition", disposition, params)
	if id != "" {
		f.buf = append(f.buf, "Content-ID: <"+id+">\r\n"...)
	}
	return f.buf
}

func checkSources(a Attachment) error {
	given := 0
	for _, has := range []bool{a.Path != "", a.Data != nil, a.Reader != nil} {
		if has {
			given++
		}
	}
	switch {
	case given == 0:
		return localerr.New("set one of Path, Data and Reader")
	case given > 1:
		return localerr.New("set only one of Path, Data and Reader")
	}
	return nil
}

func openAttachment(label string, a Attachment) (*source, error) {
	switch {
	case a.Path != "":
		return fileSource(label, a.Path)
	case a.Reader != nil:
		return readerSource(label, a.Reader)
	}
	return dataSource(label, a.Data), nil
}

// checkFileName accepts names that every system can store: without folders, which a mail program
// might create, and without invisible characters.
func checkFileName(name string) error {
	const most = 255 * 3 // the 255 characters of a file system, in Chinese
	if err := checkText(name, false); err != nil {
		return err
	}
	switch {
	case name == "" || name == "." || name == "..":
		return localerr.New("is missing")
	case strings.ContainsAny(name, `/\`):
		return localerr.New("contains a folder; only the last element can be sent")
	case len(name) > most:
		return localerr.Errorf("is longer than %d octets", most)
	}
	return nil
}
