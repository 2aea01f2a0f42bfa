package main

import (
	"fmt"
	"strings"
	"unicode"
)

// panel is one small bar chart of a row.
type panel struct {
	row   string // its ID
	title string // in English
}

// panels are the rows that matter most to readers of the README.
func (r *report) panels() []panel {
	plain := "loopback/" + postfixServer
	if row, ok := r.row(plain); !ok || len(row.Figures) == 0 {
		plain = "loopback/" + pipelining
	}
	return []panel{
		{"link/" + chunking, "A run of 5 kB messages, 40 ms away, CHUNKING"},
		{"link/" + pipelining, "The same, PIPELINING only"},
		{"loopback/" + chunking, "The same on loopback, CHUNKING"},
		{plain, "The same on loopback, PIPELINING only"},
		{"begin/" + string(startTLS) + "/ms", "Connect, STARTTLS, AUTH and one message, 40 ms away"},
		{"start/" + string(inClear), "A command that sends one small message, start to exit"},
		{"large/" + chunking + "/speed", "An attachment of 1 GB over TLS on loopback"},
		{"large/" + chunking + "/memory", "The same: peak memory"},
	}
}

// chartWords has the words of a chart in one language.
type chartWords struct {
	lang, name, heading string
	more, less          string
	comma, space        string // in a list, and between sentences
	described           string // formats of a title, a unit and the figures
	footnote            func(*report) string
	words               map[string]string // translations of titles, units and contenders
}

func (w chartWords) say(english string) string {
	if said, ok := w.words[english]; ok {
		return said
	}
	return english
}

func (w chartWords) title(english string) string { return w.say(english) }
func (w chartWords) unit(english string) string  { return w.say(english) }

// contender returns the name of a program, which is usually the same in every
// language.
func (w chartWords) contender(name string) string { return w.say(name) }

func englishChart() chartWords {
	return chartWords{
		lang: "en", name: "yan compared with its peers", heading: "yan compared with its peers: medians of %d rounds, with the range",
		more: "more is better", less: "less is better", comma: ", ", space: " ", described: "%s, in %s: %s.",
		footnote: func(r *report) string {
			return fmt.Sprintf("%s, %s, %s, %d cores. A program without a bar was not measured in that panel. Thin lines: lowest to highest.",
				r.Date.Format("2 January 2006"), r.Go, r.System, r.Cores)
		},
		words: map[string]string{"MB of memory at most": "MB"}, // "peak memory" is in the title
	}
}

func chineseChart() chartWords {
	return chartWords{
		lang: "zh-CN", name: "yan 与同类程序", heading: "yan 与同类程序：%d 轮测量的中位数与范围",
		more: "越大越好", less: "越小越好", comma: "，", space: "", described: "%s，单位为%s：%s。",
		footnote: func(r *report) string {
			return fmt.Sprintf("%s，%s，%s，%d 核。没有条形的程序在该项中未测。细线：最低值到最高值。",
				r.Date.Format("2006 年 1 月 2 日"), r.Go, r.System, r.Cores)
		},
		words: map[string]string{
			"A run of 5 kB messages, 40 ms away, CHUNKING":          "连发 5 kB 邮件，40 ms 链路，CHUNKING",
			"The same, PIPELINING only":                             "同上，只用 PIPELINING",
			"The same on loopback, CHUNKING":                        "同上，本机回环，CHUNKING",
			"The same on loopback, PIPELINING only":                 "同上，本机回环，只用 PIPELINING",
			"Connect, STARTTLS, AUTH and one message, 40 ms away":   "连接、STARTTLS、登录并发一封邮件，40 ms 链路",
			"A command that sends one small message, start to exit": "用命令发一封小邮件，从启动到退出",
			"An attachment of 1 GB over TLS on loopback":            "1 GB 附件经 TLS，本机回环",
			"The same: peak memory":                                 "同上：内存峰值",
			"messages/s":                                            "封/秒",
			"ms":                                                    "毫秒",
			"MB/s of the file":                                      "MB/秒（按文件大小计）",
			"MB of memory at most":                                  "MB",
			gomailDefault:                                           "go-mail 默认用法",
			rawGo:                                                   "Go 的 TLS 复制",
			rawOpenSSL:                                              "openssl 的 TLS 复制",
		},
	}
}

// estimateWidth returns the approximate width of a text in pixels, in the widest of
// common fonts; titles are bold.
func estimateWidth(text string, size int, bold bool) float64 {
	lower, upper := .57, .7
	if bold {
		lower, upper = .65, .77
	}
	em := 0.0
	for _, r := range text {
		switch {
		case wideRune(r):
			em++
		case unicode.IsUpper(r):
			em += upper
		case r == ' ' || r == ',' || r == '.':
			em += .37
		default:
			em += lower
		}
	}
	return em * float64(size)
}

// wideRune reports whether a character is full-width: Chinese and its
// punctuation.
func wideRune(r rune) bool { return r >= 0x2e80 }

// wrapText breaks a text into lines of a width: at spaces, and next to Chinese
// characters except before closing punctuation.
func wrapText(text string, width, size int, bold bool) []string {
	var lines []string
	line := ""
	for _, piece := range splitPieces(text) {
		if line != "" && estimateWidth(line+strings.TrimRight(piece, " "), size, bold) > float64(width) {
			lines = append(lines, strings.TrimRight(line, " "))
			line = ""
		}
		line += piece
	}
	return append(lines, strings.TrimRight(line, " "))
}

// splitPieces splits a text into unbreakable parts.
func splitPieces(text string) []string {
	var all []string
	var before rune
	for _, r := range text {
		opens := before == '（'
		closes := r == ' ' || strings.ContainsRune("，。：；、）", r)
		if len(all) == 0 || !closes && !opens && (before == ' ' || wideRune(before) || wideRune(r)) {
			all = append(all, "")
		}
		all[len(all)-1] += string(r)
		before = r
	}
	return all
}
