// Package doctor looks at everything that a message passes on its way out, one
// step after the other, and says what is wrong first and what to do about it.
//
//		exam := doctor.Exam{Server: server, Options: options, From: from, Login: login}
//		report := exam.Run(ctx)
//		next, wrong := report.Next()
//
//	  - An [Exam] says what to look at. [Exam.Run] carries it out: the name of the
//	    server, its ports, TLS, what it offers, the login, the sender; and beside
//	    that the domain of the sender: MX, SRV, SPF, DKIM, DMARC.
//	  - Each [Step] is told as it ends, in a fixed order, and is a value: what was
//	    looked at, how it went, what was found and what to do, in both languages.
//	  - The [Report] has all steps; [Report.Next] is the one to act upon.
//
// The secret is asked for only when the server has proved who it is, and is
// used for one login and no more. No message is sent unless Exam.SendTo says so.
package doctor
