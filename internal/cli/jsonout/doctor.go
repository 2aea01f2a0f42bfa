package jsonout

import (
	"github.com/yanmail/yan/internal/doctor"
)

// Doctor is the output of yan doctor.
type Doctor struct {
	Status   string       `json:"status"` // "ok", "warning", "failed" or "interrupted"
	Exit     int          `json:"exit"`
	Server   string       `json:"server"`
	Provider string       `json:"provider,omitempty"`
	Account  string       `json:"account,omitempty"`
	From     string       `json:"from,omitempty"`
	Took     float64      `json:"took_ms"`
	Steps    []DoctorStep `json:"steps"`
	Next     *DoctorNext  `json:"next,omitempty"`
}

// DoctorStep is a step of the exam.
type DoctorStep struct {
	Name     string  `json:"name"`
	Target   string  `json:"target,omitempty"`
	Status   string  `json:"status"`
	Took     float64 `json:"took_ms,omitempty"`
	Stage    string  `json:"stage,omitempty"`
	Code     int     `json:"code,omitempty"`
	Enhanced string  `json:"enhanced,omitempty"`
	Text     string  `json:"text,omitempty"`
	Error    string  `json:"error,omitempty"`

	Detail    Bilingual        `json:"detail"`
	Advice    *Bilingual       `json:"advice,omitempty"`
	Facts     doctor.StepFacts `json:"facts,omitzero"`
	Diagnosis *Diagnosis       `json:"diagnosis,omitempty"`
}

// DoctorNext is the one action to take next.
type DoctorNext struct {
	Step   string    `json:"step"`
	Target string    `json:"target,omitempty"`
	Why    Bilingual `json:"why"`
	Do     Bilingual `json:"do"`
}
