;; Sends one message with message-mode, from the environment of python.py, by
;; sendmail or, if WAY is smtp, with smtpmail.
(require 'message)
(setq make-backup-files nil user-full-name "" mail-host-address "host.example.test"
      message-send-mail-function
      (if (equal (getenv "WAY") "smtp") 'message-smtpmail-send-it 'message-send-mail-with-sendmail)
      smtpmail-smtp-server (getenv "HOST")
      smtpmail-smtp-service (string-to-number (or (getenv "PORT") "25"))
      smtpmail-smtp-user (getenv "LOGIN")
      auth-sources '((:source "authinfo")))
(with-temp-file "authinfo"
  (unless (string= (getenv "LOGIN") "")
    (insert (format "machine %s port %s login %s password %s\n" (getenv "HOST") (getenv "PORT") (getenv "LOGIN") (getenv "SECRET")))))
(unless (string= (getenv "FROM") "")
  (setq user-mail-address (getenv "FROM")))
(message-mail (getenv "TO") (getenv "SUBJECT"))
(message-goto-body)
(insert-file-contents (getenv "TEXT"))
(let ((message-confirm-send nil) (message-interactive t))
  (condition-case err
      (message-send)
    (error (message "%s" (error-message-string err)) (kill-emacs 1))))
