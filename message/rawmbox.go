package message

import (
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/mailfiles/mbox"
)

// ErrMbox: the source is an mbox file that contains, or may contain, more than one message. Read
// as one message it would be sent to the recipients of the first.
var ErrMbox = localerr.New("it is an mbox file with more than one message")

// newRawBody checks whether a source that begins with a From_ line is an mbox file.
func newRawBody(src *source) (*rawBody, error) {
	body := &rawBody{src: src}
	in, err := src.open()
	if err != nil {
		return nil, err
	}
	var s mbox.Splitter
	buffer := make([]byte, min(src.size, 4<<10))
	for {
		n, err := in.readFull(buffer)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			break
		}
		if _, err := s.Write(buffer[:n]); err != nil {
			return body, nil // like most messages
		}
		if int64(len(buffer)) < min(src.size, inputBlock) {
			buffer = make([]byte, min(src.size, inputBlock))
		}
	}
	parts, err := s.Parts(mbox.Refuse)
	switch {
	case err != nil:
		return nil, src.wrapError(localerr.Errorf("%w, or may be one: %v", ErrMbox, err))
	case len(parts) > 1:
		return nil, src.wrapError(ErrMbox)
	case len(parts) == 1 && parts[0].Mark == mbox.Internal:
		return nil, src.wrapError(localerr.New("it is not a message: a mail server stores data of the folder in it"))
	}
	body.quoted = len(parts) == 1 && parts[0].Quoted
	return body, nil
}
