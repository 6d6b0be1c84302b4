"""The tag `csrf_token` with the key of a form beside it: a form can't forget it."""

from django import template
from django.template.base import Parser, Token
from django.template.context import Context
from django.template.defaulttags import CsrfTokenNode
from django.utils.html import format_html
from django.utils.safestring import SafeString

from union_portal import once

register = template.Library()


class KeyedCsrfTokenNode(CsrfTokenNode):
    """Two hidden fields: who sends the form, and which form it is."""

    def render(self, context: Context) -> SafeString:
        token = super().render(context)
        if not token:
            return SafeString("")
        return format_html(
            '{}<input type="hidden" name="{}" value="{}">', token, once.FIELD, once.new_key()
        )


@register.tag
def csrf_token(parser: Parser, token: Token) -> KeyedCsrfTokenNode:
    return KeyedCsrfTokenNode()
