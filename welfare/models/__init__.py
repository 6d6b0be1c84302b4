"""Shape and constraints of the welfare app."""

from welfare.models.settlements import MerchantStatement, StatementLine

__all__ = ["MerchantStatement", "StatementLine"]
