package oauth

import (
	"fmt"
	"io"
	"log"
	"net/http"
)

// resultPage is the final page in the browser, in both languages, because the user's
// is unknown here.
type resultPage int

const (
	pageDone resultPage = iota
	pageDenied
	pageFailed
	pageAgain   // the answer has already come
	pageOther   // for another login
	pageNothing // unknown path
)

func (p resultPage) text() (zh, en string) {
	switch p {
	case pageDone:
		return "授权成功，可以关闭此页面，回到终端继续。", "You are logged in. You may close this page and go back to the terminal."
	case pageDenied:
		return "您没有同意授权，没有保存任何内容。", "The consent was refused. Nothing was stored."
	case pageFailed:
		return "授权没有完成，原因请看终端。", "The login was not completed. The terminal says why."
	case pageAgain:
		return "这次授权已经处理过了，可以关闭此页面。", "This answer has come before. You may close this page."
	case pageOther:
		return "这个页面不属于正在进行的登录，请回到终端重试。", "This page is not of the login that is under way. Please go back to the terminal and try again."
	default:
		return "这里没有内容。", "There is nothing here."
	}
}

// showPage sends a page that loads nothing and is not cached: its address contains
// the code.
func showPage(w http.ResponseWriter, status int, p resultPage) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Connection", "close")
	w.WriteHeader(status)
	zh, en := p.text()
	_, _ = fmt.Fprintf(w, html, zh, en) // the browser may have disconnected
}

const html = `<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>yan</title>
<style>body{font:1.1em/1.6 sans-serif;max-width:32em;margin:15vh auto;padding:0 1em;color-scheme:light dark}</style>
</head>
<body>
<p lang="zh-CN">%s</p>
<p lang="en">%s</p>
</body>
</html>
`

// discardLogger discards the messages of net/http about broken requests.
func discardLogger() *log.Logger { return log.New(io.Discard, "", 0) }
